import type { Connection, LinkPhase, Obstacle } from "./connection";
import { connectionOf } from "./freshness";
import type { FromHub, LinkStats } from "./messages";
import { ServerClock } from "./server-clock";
import { Store, type Row } from "./store";
import { truthOf, type Truth } from "./truth";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "./wire";

/** What a face of the page (table, tape) does about each kind of news. Only what it needs. */
export interface LiveEvents {
  /** Some row has something to paint. */
  dirty(): void;
  /** Quotes that are news: newer than what was known of their symbols. */
  quotes?(quotes: readonly Quote[]): void;
  /** `gone`: rows that are no longer in the settings. */
  symbols(symbols: readonly SymbolInfo[], changed: boolean, gone: readonly Row[]): void;
  feeds?(feeds: readonly FeedInfo[]): void;
  config?(config: ConfigReport): void;
  hello?(hello: Hello): void;
  /** What the server grants for a symbol in view, updates a second. */
  rate?(max_hz: number): void;
  stats?(stats: LinkStats): void;
}

/** What the server said, merged: the store, its clock, the feeds, and one word for the connection. */
export class Live {
  readonly store = new Store();
  readonly clock = new ServerClock();
  readonly feeds = new Map<string, FeedInfo>();
  connection: Connection = "recovering";
  phase: LinkPhase = "connecting";
  /** What stands between the page and the server, where somebody said. */
  obstacle: Obstacle | undefined;
  /** Off where the page can't show what it knows. */
  isShown = true;
  private heartbeat_s = 5;
  /** When the server's newest word was said, by this page's clock, epoch ms. */
  private said_ms = 0;

  constructor(private readonly events: LiveEvents) {}

  receive(message: FromHub): void {
    switch (message.type) {
      case "phase":
        this.phase = message.phase;
        this.obstacle = message.obstacle;
        return;
      case "hello":
        this.heartbeat_s = message.hello.heartbeat_s;
        if (message.hello.epoch !== this.store.epoch) this.clock.reset();
        this.clock.sample(message.hello.server_time, message.arrived_ms);
        this.heard(message.hello.server_time, message.arrived_ms);
        this.store.begin(message.hello.epoch);
        this.events.hello?.(message.hello);
        this.events.dirty();
        return;
      case "beat":
        this.clock.sample(message.server_time, message.arrived_ms);
        this.heard(message.server_time, message.arrived_ms);
        return;
      case "symbols":
        this.takeSymbols(message.symbols);
        return;
      case "quotes":
        this.takeQuotes(message.quotes, message.arrived_ms);
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
        this.events.rate?.(message.max_hz);
        return;
      case "token":
      case "transport":
        return;
    }
  }

  /** Since the server said its newest word, ms; Infinity before the first. */
  silence_ms(): number {
    if (this.said_ms === 0) return Infinity;
    const now_ms = Date.now();
    this.said_ms = Math.min(this.said_ms, now_ms); // this clock was set back: count from here
    return now_ms - this.said_ms;
  }

  /** Judges the connection anew by the rows in view; true where the word changed. */
  look(inView: readonly Row[]): boolean {
    const found = connectionOf({
      browserOnline: navigator.onLine, phase: this.phase, silence_ms: this.silence_ms(), heartbeat_s: this.heartbeat_s, inView, feeds: this.feeds,
    });
    const connection = this.isShown || found === "offline" ? found : "recovering";
    const changed = connection !== this.connection;
    this.connection = connection;
    return changed;
  }

  /** How true `row` is now. */
  truth(row: Row): Truth {
    return truthOf(row, { generation: this.store.generation, connection: this.connection, feeds: this.feeds, server_ms: this.serverNow() });
  }

  /** Whether it is known which symbols there are. */
  get isListed(): boolean {
    return this.store.rows.size > 0 || this.phase === "synced";
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

  private takeQuotes(quotes: readonly Quote[], arrived_ms: number): void {
    const news = this.store.applyQuotes(quotes, arrived_ms);
    this.heard(news.reduce((newest, quote) => Math.max(newest, quote.received_time), 0), arrived_ms);
    this.events.quotes?.(news);
    this.events.dirty();
  }

  /** A word counts from when it was said: what lay in a buffer while the network was gone is no sign of life. */
  private heard(server_ms: number, arrived_ms: number): void {
    this.said_ms = Math.max(this.said_ms, this.clock.saidAt(server_ms, arrived_ms));
  }
}
