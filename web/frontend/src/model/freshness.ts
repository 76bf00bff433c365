import type { Connection, LinkPhase } from "./connection";
import type { Row } from "./store";
import { saidOf, type Word } from "./truth";
import { names, type FeedInfo } from "./wire";

export interface ConnectionInputs {
  browserOnline: boolean;
  phase: LinkPhase;
  /** Since the server's newest word, ms; Infinity before the first. */
  silence_ms: number;
  heartbeat_s: number;
  /** The rows in view, or all of them where none is. */
  inView: readonly Row[];
  feeds: ReadonlyMap<string, FeedInfo>;
}

/** One word for the whole table. An open socket is no proof: `live` needs a word from the server within two heartbeats. */
export function connectionOf(inputs: ConnectionInputs): Connection {
  if (!inputs.browserOnline) return "offline";
  if (inputs.phase !== "synced" || inputs.silence_ms > 2000 * inputs.heartbeat_s) return "recovering";
  const trading = inputs.inView.filter((row) => row.quote && !RESTING.has(saidOf(row.quote)));
  return trading.length > 0 && trading.every((row) => isLate(row, inputs.feeds)) ? "delayed" : "live";
}

/** Where nobody trades nothing can be late. */
const RESTING: ReadonlySet<Word> = new Set(["closed", "halted"]);

function isLate(row: Row, feeds: ReadonlyMap<string, FeedInfo>): boolean {
  const quote = row.quote;
  if (!quote || saidOf(quote) !== "fresh") return true;
  const sources = quote.source ? [quote.source] : names(row.info.feed);
  return sources.length > 0 && sources.every((feed) => feeds.get(feed)?.state === "down");
}
