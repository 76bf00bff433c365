import type { TransportName } from "../model/messages";

/** What one attempt to connect begins with. */
export interface Attempt {
  /** The second is for where the first is refused at once. */
  transports: readonly [TransportName, TransportName];
  /** Whether polling tries a WebSocket beside it. */
  upgrade: boolean;
}

/** A step that takes longer than this hangs, as far as is known of the line; and the most that any is given, ms. */
export const FIRST_LIMIT_MS = 2500;
export const LAST_LIMIT_MS = 20_000;
/** A step may take so many times as long as the slowest of the last connection that came to stand. */
const EASE = 3;
/** A transport that carried prices for so long works. */
const PROVEN_MS = 60_000;
/** A WebSocket that fell silent so often, soon after it had opened, is not tried again while polling works. */
const SILENCES = 2;

/**
 * What is known of the way to the server: which transport gets through, and how long a step takes.
 *
 * Networks do not only refuse, they swallow: a proxy that never answers a WebSocket's handshake, one that lets it open and passes nothing on.
 * No error ever comes of that, only time passes. So each step has a limit, the transport that missed it makes room for the other one, and
 * the limit grows with each miss: the line may just be slow. It knows no clock and no socket: the session tells it what happened.
 */
export class TransportPolicy {
  limit_ms = FIRST_LIMIT_MS;
  private silences = 0;

  /** `first`: what got through the last time. */
  constructor(public first: TransportName = "websocket") {}

  attempt(): Attempt {
    return { transports: [this.first, otherThan(this.first)], upgrade: this.silences < SILENCES };
  }

  /** An attempt by `transport` failed: no step came in time (`hung`), or the connection broke. */
  failed(transport: TransportName, hung: boolean): void {
    this.first = otherThan(transport);
    // What hung polling may have been the WebSocket that was tried beside it; what broke it without one was something else.
    if (transport === "polling") this.silences = hung && this.silences < SILENCES ? SILENCES : 0;
    if (hung) this.limit_ms = Math.min(LAST_LIMIT_MS, 2 * this.limit_ms);
  }

  /** A connection stands, by `transport`; its slowest step took so long. */
  stands(transport: TransportName, slowest_ms: number): void {
    this.first = transport;
    this.limit_ms = Math.min(LAST_LIMIT_MS, Math.max(FIRST_LIMIT_MS, EASE * slowest_ms));
  }

  /** A connection that stood has ended; `transport` carried it for so long, and then nothing came any more (`silent`) or it broke. */
  ended(transport: TransportName, carried_ms: number, silent: boolean): void {
    if (carried_ms >= PROVEN_MS) {
      this.first = transport;
      if (transport === "websocket") this.silences = 0;
    } else if (silent) {
      this.first = otherThan(transport);
      if (transport === "websocket") this.silences += 1;
    }
  }
}

function otherThan(transport: TransportName): TransportName {
  return transport === "websocket" ? "polling" : "websocket";
}
