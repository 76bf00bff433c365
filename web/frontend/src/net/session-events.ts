import type { LinkPhase, Obstacle } from "../model/connection";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "../model/wire";

/** What a session tells of: how far it has come, and what the server says. */
export interface SessionEvents {
  /** `obstacle`: why nobody is let in, where that is the phase. */
  phase(phase: LinkPhase, obstacle?: Obstacle): void;
  hello(hello: Hello): void;
  beat(server_time: number): void;
  symbols(symbols: readonly SymbolInfo[]): void;
  feeds(feeds: readonly FeedInfo[]): void;
  config(config: ConfigReport): void;
  quotes(quotes: readonly Quote[]): void;
  removed(symbol: string): void;
  /** What the server granted for each joined symbol, updates a second. */
  rate(max_hz: number): void;
}
