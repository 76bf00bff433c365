import type { LinkPhase } from "../freshness";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "../wire";

/** What one tab wants. Always complete, so that a hub that forgot the tab (it was frozen) can start afresh from it. */
export interface Interest {
  type: "interest";
  visible: boolean;
  online: boolean;
  /** Symbols whose namespaces to join: the rows in view. */
  symbols: readonly string[];
  /** Pace of the whole board, and of each joined symbol, in updates a second; `null`: as fast as the server goes. */
  board_hz: number;
  symbol_hz: number | null;
}

export type ToHub = Interest | { type: "bye" };

/** What arrived in the last second, and the last round trip. */
export interface LinkStats {
  messages: number;
  bytes: number;
  round_trip_ms: number | null;
}

/** `word_ms`: when the server's newest word arrived, epoch ms; 0 before the first. */
export type FromHub =
  | { type: "phase"; phase: LinkPhase; reason: string }
  | { type: "hello"; hello: Hello; word_ms: number }
  | { type: "beat"; server_time: number; word_ms: number }
  | { type: "symbols"; symbols: readonly SymbolInfo[] }
  | { type: "feeds"; feeds: readonly FeedInfo[] }
  | { type: "config"; config: ConfigReport }
  | { type: "quotes"; quotes: readonly Quote[]; word_ms: number }
  | { type: "removed"; symbol: string }
  | { type: "rate"; max_hz: number }
  | { type: "stats"; stats: LinkStats };

/** The half of a `MessagePort` that the hub needs. */
export interface Port {
  postMessage(message: FromHub): void;
}
