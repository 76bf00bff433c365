import { WebSocket, XHR } from "socket.io-client";
import type { TransportName } from "../model/messages";
import { LAST_LIMIT_MS } from "./transport-policy";

/** Told of an answer that is a refusal, whoever gave it: the server or something before it. */
export type Refusals = (status: number, body: string) => void;

type Transports = Readonly<Record<TransportName, new (options: never) => WebSocket | XHR>>;

/** The library's transports, where polling says what it was answered, and lets go of what is never answered. */
export function transportsTelling(refused: Refusals): Transports {
  return { websocket: WebSocket, polling: pollingTelling(refused) };
}

function pollingTelling(refused: Refusals): Transports["polling"] {
  return class Polling extends XHR {
    private readonly held = new Set<XMLHttpRequest>();

    override request(options: Record<string, unknown> = {}): ReturnType<XHR["request"]> {
      const request = super.request(options);
      const { _xhr: xhr } = request as unknown as { _xhr: XMLHttpRequest };
      const posts = options["method"] === "POST";
      if (posts) xhr.timeout = LAST_LIMIT_MS; // a question may be held open by the server, a POST is answered at once
      else this.held.add(xhr);
      xhr.addEventListener("load", () => xhr.status >= 400 && refused(xhr.status, xhr.responseText));
      xhr.addEventListener("loadend", () => this.held.delete(xhr));
      return request;
    }

    /** The library leaves a question that is under way. A browser has six connections to a host: as many that hang, and nothing gets through. */
    override doClose(): void {
      super.doClose();
      for (const xhr of this.held) xhr.abort();
    }
  };
}
