/**
 * What the server sends, as `docs/protocol.md` fixes it: the server's own types, made less strict where an older server says less.
 * An absent field is unknown; times are Unix epoch ms.
 */
import type * as wire from "./wire-types";

export type { Beat, Candles, Error as Refused, Hello, Shutdown, Sparklines } from "./wire-types";

export type QuoteState = wire.Quote["state"];
/** What a source's `volume` counts: the session's trades, those since midnight UTC, those of the last 24 hours (or nobody knows). */
export type VolumeOf = wire.Symbol["volume_of"];
export type MarketSession = NonNullable<wire.Quote["session"]>;

/** `snapshot` and `epoch` are in the first quote after joining a symbol's namespace only. */
export interface Quote extends Omit<wire.Quote, "kind">, Partial<Pick<wire.FirstQuote, "snapshot" | "epoch">> {
  kind: string;
}

export type SymbolInfo = Told<wire.Symbol, "symbol" | "status">;
export type FeedInfo = Told<wire.Feed, "feed" | "kind" | "state">;
/** The outcome of the last reload of the settings. */
export type ConfigReport = Told<wire.Reload, "ok">;

/** What is surely told, and what may be absent. */
type Told<Whole, Sure extends keyof Whole> = Pick<Whole, Sure> & Partial<Whole>;

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
