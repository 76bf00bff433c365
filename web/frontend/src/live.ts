import { connectionOf, ServerClock, type Connection, type LinkPhase } from "./freshness";
import type { FromHub, LinkStats } from "./net/messages";
import { Store, type Row } from "./store";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "./wire";

/** What a face of the page (table, tape) does about each kind of news. Only what it needs. */
export interface LiveEvents {
  /** Some row has something to paint. */
  dirty(): void;
  quotes?(quotes: readonly Quote[]): void;
  /** `gone`: rows that are no longer in the settings. */
  symbols(symbols: readonly SymbolInfo[], changed: boolean, gone: readonly Row[]): void;
  feeds?(feeds: readonly FeedInfo[]): void;
  config?(config: ConfigReport): void;
  hello?(hello: Hello): void;
  stats?(stats: LinkStats): void;
}

/** What the server said, merged: the store, its clock, the feeds, and one word for the connection. */
export class Live {
  readonly store = new Store();
  readonly clock = new ServerClock();
  readonly feeds = new Map<string, FeedInfo>();
  connection: Connection = "recovering";
  phase: LinkPhase = "connecting";
  private heartbeat_s = 5;
  private word_ms = 0;

  constructor(private readonly events: LiveEvents) {}

  receive(message: FromHub): void {
    if ("word_ms" in message) this.word_ms = Math.max(this.word_ms, message.word_ms);
    switch (message.type) {
      case "phase":
        this.phase = message.phase;
        return;
      case "hello":
        this.clock.sample(message.hello.server_time, message.word_ms);
        this.heartbeat_s = message.hello.heartbeat_s;
        this.store.begin(message.hello.epoch);
        this.events.hello?.(message.hello);
        this.events.dirty();
        return;
      case "beat":
        this.clock.sample(message.server_time, message.word_ms);
        return;
      case "symbols":
        this.takeSymbols(message.symbols);
        return;
      case "removed":
        this.takeRemoved(message.symbol);
        return;
      case "quotes":
        this.store.applyQuotes(message.quotes, performance.now());
        this.events.quotes?.(message.quotes);
        this.events.dirty();
        return;
      case "feeds":
        this.feeds.clear();
        for (const feed of message.feeds) this.feeds.set(feed.feed, feed);
        this.events.feeds?.(message.feeds);
        return;
      case "config":
        this.events.config?.(message.config);
        return;
      case "stats":
        this.events.stats?.(message.stats);
        return;
      case "rate":
        return;
    }
  }

  /** Since the server's newest word, ms; Infinity before the first. */
  silence_ms(): number {
    return this.word_ms === 0 ? Infinity : Math.max(0, Date.now() - this.word_ms);
  }

  /** Judges the connection anew by the rows in view; true where the word changed. */
  look(inView: readonly Row[]): boolean {
    const connection = connectionOf({
      browserOnline: navigator.onLine, phase: this.phase, silence_ms: this.silence_ms(), heartbeat_s: this.heartbeat_s, inView, feeds: this.feeds,
    });
    const changed = connection !== this.connection;
    this.connection = connection;
    return changed;
  }

  /** The server's clock now, epoch ms. */
  serverNow(): number {
    return this.clock.at(Date.now());
  }

  private takeSymbols(symbols: readonly SymbolInfo[]): void {
    const before = [...this.store.rows.keys()];
    const { added, removed } = this.store.applySymbols(symbols);
    const changed = added.length > 0 || removed.length > 0 || symbols.some((info, index) => before[index] !== info.symbol);
    this.events.symbols(symbols, changed, removed);
    this.events.dirty();
  }

  private takeRemoved(symbol: string): void {
    const row = this.store.remove(symbol);
    if (row) this.events.symbols([...this.store.rows.values()].map((each) => each.info), true, [row]);
  }
}
