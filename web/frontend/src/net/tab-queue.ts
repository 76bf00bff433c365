import type { FromHub, News, Port } from "../model/messages";
import type { Quote } from "../model/wire";

/** Quotes wait this long for company before they are handed to a visible tab: one message for a whole burst. */
const GATHER_MS = 5;
/** Quotes in one message, so that unpacking it never costs a tab a long task. */
const CHUNK = 400;
/** Messages handed over and not read yet. Two keep a tab busy; more would queue up at one that is frozen. */
const WINDOW = 2;

/** The order in which news is handed over. The claim that all is there comes after the quotes: see `next`. */
const ORDER: readonly News["type"][] = ["token", "hello", "beat", "symbols", "feeds", "config", "rate", "stats", "transport"];

/**
 * What waits for one tab: the newest quote a symbol and the newest news of each kind.
 *
 * A tab says when it has read a message, and gets the next one then. So one that is slow skips what is outdated, and one that
 * is frozen for hours finds two old messages and one snapshot on its return, not hours of them.
 */
export class TabQueue {
  /** Time between two hand-overs of quotes, ms. */
  pause_ms = 0;
  /** What the tab looks at: of this it hears first, however much else waits. */
  near: ReadonlySet<string> = new Set();
  private readonly news = new Map<News["type"], News>();
  private readonly nearby = new Waiting();
  private readonly others = new Waiting();
  private due = false;
  private unread = 0;
  private flushed_ms = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly port: Port) {}

  tell(news: News): void {
    if (news.type === "hello") for (const waiting of [this.nearby, this.others]) waiting.quotes.clear(); // nobody vouches for them any more
    if (news.type === "phase" && news.phase === "synced") this.due = true; // the prices first, then the claim
    this.news.delete(news.type); // at the end, and so behind what it may speak of
    this.news.set(news.type, news);
    this.flush();
  }

  /** `arrived_ms`: epoch ms. */
  add(quote: Quote, arrived_ms: number): void {
    (this.near.has(quote.symbol) ? this.nearby : this.others).add(quote, arrived_ms);
  }

  /** Sees to it that what was added is handed over when its time comes. */
  schedule(): void {
    if (this.timer !== undefined || this.due || this.size === 0) return;
    const pause_ms = Math.max(GATHER_MS, this.flushed_ms + this.pause_ms - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.hurry();
    }, pause_ms);
  }

  /** Everything that waits is handed over as soon as the tab takes it. */
  hurry(): void {
    this.due = true;
    this.flush();
  }

  /** The tab has read one message. */
  taken(): void {
    this.unread = Math.max(0, this.unread - 1);
    this.flush();
  }

  /** Symbols that are no longer listed. */
  forget(symbol: string): void {
    for (const waiting of [this.nearby, this.others]) waiting.quotes.delete(symbol);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private flush(): void {
    while (this.unread < WINDOW) {
      const message = this.next();
      if (!message) return;
      this.unread += 1;
      this.port.postMessage(message);
    }
  }

  private next(): FromHub | undefined {
    const phase = this.news.get("phase");
    if (phase?.type === "phase" && phase.phase !== "synced") return this.take("phase");
    const older = this.pause_ms === 0 && this.nearby.quotes.size > 0; // than a beat: they came first, and it would vouch for the prices before them
    const first = ORDER.find((type) => this.news.has(type) && !(type === "beat" && older));
    if (first) return this.take(first);
    if ((this.due || this.news.has("beat")) && this.size > 0) {
      this.flushed_ms = Date.now();
      return (this.nearby.quotes.size > 0 ? this.nearby : this.others).take();
    }
    this.due = false;
    return phase && this.take("phase");
  }

  private take(type: News["type"]): News | undefined {
    const news = this.news.get(type);
    this.news.delete(type);
    return news;
  }

  private get size(): number {
    return this.nearby.quotes.size + this.others.quotes.size;
  }
}

/** Quotes that wait, the newest of each symbol. */
class Waiting {
  readonly quotes = new Map<string, Quote>();
  private since_ms = 0;

  add(quote: Quote, arrived_ms: number): void {
    if (this.quotes.size === 0) this.since_ms = arrived_ms;
    this.quotes.set(quote.symbol, quote);
  }

  take(): FromHub {
    const quotes: Quote[] = [];
    for (const [symbol, quote] of this.quotes) {
      if (quotes.length === CHUNK) break;
      quotes.push(quote);
      this.quotes.delete(symbol);
    }
    return { type: "quotes", quotes, arrived_ms: this.since_ms };
  }
}
