import type { Texts } from "../i18n/texts";
import type { Formatter } from "../model/format";
import type { Row } from "../model/store";
import { spokenWords, type Truth } from "../model/truth";

/** A price as it is read out: the symbol, the price, its change, and what it is worth where it is not fresh. */
export function priceSentence(row: Row, truth: Truth, format: Formatter, texts: Texts): string {
  const price = format.price(row.quote?.price, row.decimals);
  const worth = truth.word === "fresh" ? "" : spokenWords(truth, texts);
  return [row.symbol, price, format.moved(row.quote?.change, row.quote?.change_pct, row.decimals), worth].filter(Boolean).join(", ");
}

/** The timer an announcer needs; tests step it. */
export interface AnnounceTimer {
  now(): number;
  setTimer(callback: () => void, delay_ms: number): unknown;
}

/** A screen reader that is told everything says nothing: one sentence at a time, not sooner than so. */
const QUIET_MS = 3000;
/** A price that moves is read out not oftener than so. */
const MURMUR_MS = 10_000;

/** Speaks through an `aria-live` region, the newest sentence only; of the open symbol's price one beside it. */
export class Announcer {
  private next: string | undefined;
  private price: string | undefined;
  private armed = false;
  private spoken_ms = -Infinity;
  private murmured_ms = -Infinity;

  constructor(private readonly region: { textContent: string | null }, private readonly timer: AnnounceTimer) {}

  /** Something the reader must know: a connection that was lost, a feed that is down. */
  say(sentence: string): void {
    this.next = sentence;
    this.arm();
  }

  /**
   * Something that moves all the time. Dropped where it comes too soon, or where there is anything else to say; unless it `matters`, being
   * about another symbol, or not worth what it was.
   */
  murmur(sentence: () => string, matters = false): void {
    const now_ms = this.timer.now();
    if (!matters && (this.armed || now_ms < this.murmured_ms + MURMUR_MS || now_ms < this.spoken_ms + QUIET_MS)) return;
    this.murmured_ms = now_ms;
    this.price = sentence();
    this.arm();
  }

  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    this.timer.setTimer(() => this.speak(), Math.max(0, this.spoken_ms + QUIET_MS - this.timer.now()));
  }

  private speak(): void {
    this.armed = false;
    this.spoken_ms = this.timer.now();
    const sentences = [this.next, this.price].filter((sentence) => sentence !== undefined);
    this.next = this.price = undefined;
    if (sentences.length > 0) this.region.textContent = sentences.join(". ");
  }
}
