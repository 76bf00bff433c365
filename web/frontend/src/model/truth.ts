import type { TextKey } from "../i18n/en";
import type { Texts } from "../i18n/texts";
import type { Connection } from "./connection";
import type { Row } from "./store";
import { names, type FeedInfo, type Quote } from "./wire";

/** What can be said of a row. `waiting`: nobody vouches for the price at the moment; `pending`: there is none yet. */
export type Word = "fresh" | "delayed" | "stale" | "closed" | "halted" | "failed" | "waiting" | "pending" | "rejected";

/** How true a row is: what table, phone, kiosk, tape, details, chart, speech and CSV say of it, and nothing else. */
export interface Truth {
  word: Word;
  /** It may move at any moment, and what moves is news: it may flash. */
  live: boolean;
  /** Nobody should act on it: it is grey, and its moves have no colour. */
  doubtful: boolean;
  /** How far its source is behind the market; 0 where it does not say so. */
  delay_min: number;
  /** How old the price is; undefined where there is none. */
  age_ms: number | undefined;
  /** A sign that needs no colour; "" for a price that is as good as it looks. */
  mark: string;
  /** Why there is no better price, in the server's words; "" where nothing is wrong. */
  reason: string;
}

/** What is known beside the row itself. */
export interface Circumstances {
  /** The connection that counts now: a row of another one is from before. */
  generation: number;
  connection: Connection;
  feeds: ReadonlyMap<string, FeedInfo>;
  /** The server's clock, epoch ms. */
  server_ms: number;
}

/** Each has another shape. They are of one block of characters, and so of one font. */
const MARKS: Readonly<Record<Word, string>> = {
  fresh: "", delayed: "◷", stale: "◐", closed: "☾", halted: "‖", failed: "✕", waiting: "◌", pending: "○", rejected: "✕",
};
const LIVE: ReadonlySet<Word> = new Set(["fresh", "delayed"]);
const SURE: ReadonlySet<Word> = new Set(["fresh", "delayed", "closed", "halted"]);
/** Where the server's word for the symbol's or the feed's trouble explains what is seen. */
const EXPLAINED_BY_FEED: ReadonlySet<Word> = new Set(["stale", "failed", "pending"]);

/** How true `row` is. */
export function truthOf(row: Row, now: Circumstances): Truth {
  const { quote } = row;
  const word = wordOf(row, now);
  const reason = reasonOf(row, word, now.feeds);
  return {
    word, live: LIVE.has(word), doubtful: !SURE.has(word), delay_min: quote?.delay_min ?? 0,
    age_ms: quote && ageOf(quote, now.server_ms), mark: word === "pending" && reason ? "!" : MARKS[word], reason,
  };
}

/** What the server says of a quote, while it vouches for it. A market that is shut is behind nothing. */
export function saidOf(quote: Quote): Word {
  if (quote.halted && (quote.state === "closed" || quote.state === "fresh")) return "halted";
  return quote.state === "fresh" && quote.delay_min !== undefined && quote.delay_min > 0 ? "delayed" : quote.state;
}

/** How old the price is: since its source made it, or, where the source does not say, since the server got it. Milliseconds. */
export function ageOf(quote: Quote, server_ms: number): number {
  return Math.max(0, server_ms - madeAt(quote));
}

/** When the price was made, as far as anybody says, epoch ms. */
export function madeAt(quote: Quote): number {
  return quote.quote_time ?? quote.received_time;
}

function wordOf(row: Row, { generation, connection }: Circumstances): Word {
  if (row.info.status === "rejected") return "rejected";
  if (!row.quote) return "pending";
  if (connection === "recovering" || connection === "offline" || row.generation !== generation) return "waiting";
  return saidOf(row.quote);
}

function reasonOf({ info, quote }: Row, word: Word, feeds: ReadonlyMap<string, FeedInfo>): string {
  if (info.error) return info.error;
  if (!EXPLAINED_BY_FEED.has(word)) return "";
  const source = quote?.source ?? names(info.feed)[0] ?? "";
  const feed = feeds.get(source);
  return feed && feed.state !== "ok" && feed.error ? `${source}: ${feed.error}` : "";
}

/** A delay that is told in hours from so many minutes on. */
const LONG_MIN = 120;

function delayWords({ delay_min }: Truth, texts: Texts, form: "" | ".full"): string {
  if (delay_min >= LONG_MIN) return texts.say(`state.delayed.hours${form}`, { hours: Math.round(delay_min / 60) });
  return texts.say(`state.delayed${form}`, { minutes: delay_min < 10 ? Math.round(delay_min * 10) / 10 : Math.round(delay_min) });
}

/** It in a word or two, for a column: "stale", "delayed 15m". */
export function shortWords(truth: Truth, texts: Texts): string {
  return truth.word === "delayed" ? delayWords(truth, texts, "") : texts.say(`state.${truth.word}` as TextKey);
}

/** The same with its mark before it. */
export function markedWords(truth: Truth, texts: Texts): string {
  return `${truth.mark} ${shortWords(truth, texts)}`.trim();
}

/** The same in full, to be heard. */
export function spokenWords(truth: Truth, texts: Texts): string {
  return truth.word === "delayed" ? delayWords(truth, texts, ".full") : shortWords(truth, texts);
}

/** What a tooltip says: the words and the reason; "" of a fresh price of which nothing is wrong. */
export function explanation(truth: Truth, texts: Texts): string {
  if (truth.word === "fresh") return truth.reason;
  return truth.reason ? `${spokenWords(truth, texts)}: ${truth.reason}` : spokenWords(truth, texts);
}

/** Puts it on an element, for the style sheet. */
export function showTruth(element: HTMLElement, { word, doubtful }: Truth): void {
  if (element.dataset.state === word) return;
  element.dataset.state = word;
  element.toggleAttribute("data-doubtful", doubtful);
}
