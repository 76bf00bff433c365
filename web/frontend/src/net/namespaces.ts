import type { Socket } from "socket.io-client";
import type { Quote } from "../model/wire";
import type { SessionEvents } from "./session-events";

/** The namespaces of symbols that somebody looks at, on one connection. */
export class Namespaces {
  private readonly joined = new Map<string, Socket>();

  /** `socket`: makes one for a namespace; `epoch`: that of the connection. */
  constructor(
    private readonly socket: (namespace: string) => Socket, private readonly epoch: () => string,
    private readonly events: Pick<SessionEvents, "quotes" | "removed">,
  ) {}

  /** Joins and leaves namespaces until exactly these are joined. */
  want(symbols: ReadonlySet<string>): void {
    for (const [symbol, socket] of this.joined) {
      if (!symbols.has(symbol)) this.leave(symbol, socket);
    }
    for (const symbol of symbols) {
      if (!this.joined.has(symbol)) this.join(symbol);
    }
  }

  leaveAll(): void {
    for (const [symbol, socket] of [...this.joined]) this.leave(symbol, socket);
  }

  private join(symbol: string): void {
    const socket = this.socket(`/${symbol}`); // the raw name: a namespace is never percent-encoded
    this.joined.set(symbol, socket);
    let current = false; // the library may hand over a quote it kept from before a reconnect; the first of this one names its epoch
    socket.on("quote", (quote: Quote) => {
      if (quote.epoch !== undefined) current = quote.epoch === this.epoch();
      if (current) this.events.quotes([quote]);
    });
    socket.on("removed", () => this.events.removed(symbol));
    socket.on("disconnect", () => this.forget(symbol, socket));
    socket.on("connect_error", () => this.forget(symbol, socket));
    socket.connect();
  }

  private leave(symbol: string, socket: Socket): void {
    this.forget(symbol, socket);
    socket.disconnect();
  }

  private forget(symbol: string, socket: Socket): void {
    socket.removeAllListeners();
    if (this.joined.get(symbol) === socket) this.joined.delete(symbol);
  }
}
