/** What the server sends. Made of ticker/wire.py and ticker/quote.py by `python -m cli.document`: change those, not this. */

/** The greeting: who is speaking, and how often it will. */
export interface Hello {
  epoch: string;
  version: string;
  /** Unix epoch, milliseconds */
  server_time: number;
  flush_ms: number;
  heartbeat_s: number;
}

/** The heartbeat. */
export interface Beat {
  /** Unix epoch, milliseconds */
  server_time: number;
}

/** The server stops. Each client is given a time of its own at which to come again. */
export interface Shutdown {
  retry_after_ms: number;
}

/** The first quote after joining a symbol's namespace. */
export interface FirstQuote {
  price: number;
  bid?: number;
  ask?: number;
  open?: number;
  high?: number;
  low?: number;
  prev_close?: number;
  volume?: number;
  change?: number;
  /** Percent: 1.27 is 1.27 % */
  change_pct?: number;
  currency?: string;
  /** Unix epoch, milliseconds */
  quote_time?: number;
  delay_min?: number;
  session?: "closed" | "overnight" | "post" | "pre" | "regular";
  ext_price?: number;
  ext_change_pct?: number;
  /** Unix epoch, milliseconds */
  ext_time?: number;
  /** Trading is halted, by the source's own word */
  halted?: true;
  origin?: string;
  hops?: number;
  symbol: string;
  /** Unix epoch, milliseconds */
  received_time: number;
  /** A jump of n: n - 1 updates were folded into this one */
  seq: number;
  source: string;
  kind: "polled" | "relayed" | "replayed" | "simulated" | "streamed";
  state: "closed" | "failed" | "fresh" | "stale";
  snapshot: true;
  epoch: string;
}

/** A symbol of the settings, and how it stands. */
export interface Symbol {
  symbol: string;
  name: string | null;
  decimals: number | null;
  group: readonly string[];
  /** A list where the symbol has several */
  feed: string | readonly string[];
  currency: string | null;
  /** The limit in force */
  stale_after_s: number;
  status: "live" | "pending" | "rejected";
  error: string | null;
  /** What the volume of its quotes counts */
  volume_of: "24h" | "day_utc" | "session";
}

/** A feed of the settings, and how it is. What it is not asked for or can't say is absent. */
export interface Feed {
  feed: string;
  kind: string;
  state: "down" | "ok" | "retrying";
  /** Unix epoch, milliseconds */
  last_success: number | null;
  /** Unix epoch, milliseconds */
  next_try: number | null;
  error: string | null;
  /** Of a polled feed: the time between two polls that is in force */
  interval_s?: number;
  /** Why that is longer than the settings say; null: it is not */
  widened?: string | null;
  /** Of a stream: connections after its first */
  reconnects?: number;
  /** Of a stream: messages that were missing */
  gaps?: number;
  /** Of a stream: messages that a newer one replaced */
  folded?: number;
  /** Of a recording: all of it was played */
  over?: true;
  /** Of another relay: its epoch, and those behind it */
  upstream?: readonly string[];
  /** In /api/status, where the provider has limits */
  budget?: readonly Spent[];
  /** In /api/status, where rows could not be read */
  unread?: UnreadRows;
}

/** A limit of a feed's provider, and how much of it is spent in the window that ends now. */
export interface Spent {
  unit: string;
  per: "day" | "hour" | "min" | "s";
  most: number;
  used: number;
  left: number;
}

/** Rows of a feed's last answer that nobody can make anything of. */
export interface UnreadRows {
  rows: number;
  /** Where the first of them is, and why it could not be read */
  first: string;
}

/** How the last attempt to take new settings went; at first, the start. */
export interface Reload {
  ok: boolean;
  /** Unix epoch, milliseconds */
  at: number;
  error: string | null;
  /** The keys that wait for a restart */
  restart_required: readonly string[];
}

/** What the page's document brings along: the first rows of its table, and when they were so. */
export interface FirstRows {
  epoch: string;
  /** Unix epoch, milliseconds */
  server_time: number;
  symbols: readonly Symbol[];
  quotes: readonly Quote[];
}

/** The published price of a symbol. `seq` starts at 1 in an epoch and grows by one with each accepted update. */
export interface Quote {
  price: number;
  bid?: number;
  ask?: number;
  open?: number;
  high?: number;
  low?: number;
  prev_close?: number;
  volume?: number;
  change?: number;
  /** Percent: 1.27 is 1.27 % */
  change_pct?: number;
  currency?: string;
  /** Unix epoch, milliseconds */
  quote_time?: number;
  delay_min?: number;
  session?: "closed" | "overnight" | "post" | "pre" | "regular";
  ext_price?: number;
  ext_change_pct?: number;
  /** Unix epoch, milliseconds */
  ext_time?: number;
  /** Trading is halted, by the source's own word */
  halted?: true;
  origin?: string;
  hops?: number;
  symbol: string;
  /** Unix epoch, milliseconds */
  received_time: number;
  /** A jump of n: n - 1 updates were folded into this one */
  seq: number;
  source: string;
  kind: "polled" | "relayed" | "replayed" | "simulated" | "streamed";
  state: "closed" | "failed" | "fresh" | "stale";
}

/** Prices of the last hour, one a minute, by symbol. */
export interface Sparklines {
  epoch: string;
  step_s: number;
  sparklines: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  unknown: readonly string[];
}

/** The candles of a symbol, oldest first; a minute without a fresh price has none. */
export interface Candles {
  symbol: string;
  interval_s: number;
  candles: readonly Candle[];
}

/** One minute of a symbol. */
export interface Candle {
  /** When it began */
  time_ms: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Absent where what the source counts can't tell */
  volume?: number;
}

/** The shape of every error. */
export interface Error {
  error: Problem;
}

/** What is wrong: `code` is for programs, `message` for people. */
export interface Problem {
  code: string;
  message: string;
}
