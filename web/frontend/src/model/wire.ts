/** What the server sends, as `docs/protocol.md` fixes it. An absent field is unknown; times are Unix epoch ms. */

export type QuoteState = "fresh" | "stale" | "closed" | "failed";
/** What a source's `volume` counts: the session's trades, those since midnight UTC, those of the last 24 hours (or nobody knows). */
export type VolumeOf = "session" | "day_utc" | "24h";
export type MarketSession = "pre" | "regular" | "post" | "overnight" | "closed";

export interface Quote {
  symbol: string;
  price: number;
  bid?: number;
  ask?: number;
  open?: number;
  high?: number;
  low?: number;
  prev_close?: number;
  volume?: number;
  change?: number;
  /** Percent: 1.27 is 1.27 %. */
  change_pct?: number;
  currency?: string;
  quote_time?: number;
  received_time: number;
  /** Starts at 1 in an epoch; a jump of n means that n − 1 updates were folded into this one. */
  seq: number;
  source: string;
  kind: string;
  state: QuoteState;
  delay_min?: number;
  session?: MarketSession;
  /** Trading is halted, by the source's own word; the state is then `closed`. */
  halted?: true;
  ext_price?: number;
  ext_change_pct?: number;
  ext_time?: number;
  origin?: string;
  hops?: number;
  /** Only in the first quote after joining a symbol's namespace. */
  snapshot?: true;
  epoch?: string;
}

export interface SymbolInfo {
  symbol: string;
  name?: string | null;
  decimals?: number | null;
  group?: string | readonly string[] | null;
  feed?: string | readonly string[] | null;
  currency?: string | null;
  stale_after_s?: number | null;
  status: "pending" | "live" | "rejected";
  error?: string | null;
  /** Of the source in use; an older server does not say. */
  volume_of?: VolumeOf;
}

export interface FeedInfo {
  feed: string;
  kind: string;
  state: "ok" | "retrying" | "down";
  last_success?: number | null;
  next_try?: number | null;
  error?: string | null;
}

export interface Hello {
  epoch: string;
  version: string;
  server_time: number;
  flush_ms: number;
  heartbeat_s: number;
}

/** The outcome of the last reload of the settings. */
export interface ConfigReport {
  ok: boolean;
  at?: number | null;
  error?: string | readonly string[] | null;
  restart_required?: boolean | readonly string[] | null;
}

/** Whether a symbol is of `group`; undefined: of whichever. */
export function inGroup(info: SymbolInfo, group: string | undefined): boolean {
  return group === undefined || names(info.group).includes(group);
}

/** The feeds that have a part in these symbols. */
export function usedFeeds(symbols: readonly SymbolInfo[]): ReadonlySet<string> {
  return new Set(symbols.flatMap((info) => names(info.feed)));
}

/** A setting that may be one name, several, or absent, as a list. */
export function names(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value === null || value === undefined || value === "") return [];
  return typeof value === "string" ? [value] : value;
}
