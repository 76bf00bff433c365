/** The SharedWorker: one connection for all tabs of a browser, and parsing off the page's own thread. */
import type { ToHub } from "../model/messages";
import { serverAddress } from "./base-url";
import { Hub } from "./hub";
import { Session } from "./session";

interface SharedScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

const scope = globalThis as unknown as SharedScope; // the DOM library of TypeScript knows windows only
const hub = new Hub((events, policy) => new Session(serverAddress(), policy, events));

scope.onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  port.onmessage = (message: MessageEvent<ToHub>) => hub.receive(port, message.data);
};
