import type { LinkPhase, Obstacle } from "./connection";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "./wire";

/** How bytes get to the server and back. */
export type TransportName = "websocket" | "polling";

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
  /** For a server that asks who reads; empty where the tab knows none. */
  token: string;
  /** Which transport to begin with, where the tab knows: the one that got through when it was open before. */
  transport?: TransportName;
}

/** `taken`: the tab has read one message. It is handed no more than a few that it has not read. */
export type ToHub = Interest | { type: "taken" } | { type: "bye" };

/** What arrived in the last second, and the last round trip. */
export interface LinkStats {
  messages: number;
  bytes: number;
  round_trip_ms: number | null;
}

/** What a tab is told. Of each kind the newest replaces an older one that the tab has not been handed yet. */
export type News =
  | { type: "phase"; phase: LinkPhase; obstacle: Obstacle | undefined }
  | { type: "hello"; hello: Hello; arrived_ms: number }
  | { type: "beat"; server_time: number; arrived_ms: number }
  | { type: "symbols"; symbols: readonly SymbolInfo[] }
  | { type: "feeds"; feeds: readonly FeedInfo[] }
  | { type: "config"; config: ConfigReport }
  | { type: "rate"; max_hz: number }
  | { type: "stats"; stats: LinkStats }
  /** What another tab knows: a reader types it once a browser. */
  | { type: "token"; token: string }
  /** The transport that gets through, for the tab to remember over a reload. */
  | { type: "transport"; first: TransportName };

/** `arrived_ms`: when it came off the wire, epoch ms by this machine's clock; of several quotes, the oldest of them. */
export type FromHub = News | { type: "quotes"; quotes: readonly Quote[]; arrived_ms: number };

/** The half of a `MessagePort` that the hub needs. */
export interface Port {
  postMessage(message: FromHub): void;
}
