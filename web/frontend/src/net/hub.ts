import type { LinkPhase } from "../freshness";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "../wire";
import type { FromHub, Interest, Port, ToHub } from "./messages";
import type { Session, SessionEvents } from "./session";

/** Quotes wait this long for company before they are handed to a visible tab: one message for a whole burst. */
const GATHER_MS = 8;
/** Quotes in one message, so that unpacking it never costs a tab a long task. */
const CHUNK = 400;
/** A tab that was not heard of for so long is frozen or gone. Hidden tabs may speak only once a minute. */
const SILENT_TAB_MS = 150_000;
const STATS_MS = 1000;

interface Tab {
  port: Port;
  interest: Interest;
  heard_ms: number;
  pending: Map<string, Quote>;
  timer: ReturnType<typeof setTimeout> | undefined;
  flushed_ms: number;
}

type SessionLike = Pick<
  Session, "want" | "setBoardRate" | "setSymbolRate" | "roundTrip" | "reconnect" | "close" | "messages" | "bytes"
>;

/**
 * One session for any number of tabs.
 *
 * The session joins what any visible tab looks at, at the pace of the most demanding one. Each tab is handed the newest
 * quote a symbol at its own pace; a tab that comes late, or back, gets everything as one snapshot.
 */
export class Hub implements SessionEvents {
  private readonly tabs = new Map<Port, Tab>();
  private session: SessionLike | undefined;
  private currentPhase: LinkPhase = "connecting";
  private readonly state = new Map<FromHub["type"], FromHub>();
  private readonly latest = new Map<string, Quote>();
  private ticker: ReturnType<typeof setInterval> | undefined;
  private counted = { messages: 0, bytes: 0 };
  private roundTrip_ms: number | null = null;
  private word_ms = 0;

  constructor(private readonly open: (events: SessionEvents) => SessionLike) {}

  /** A word from the tab behind `port`. */
  receive(port: Port, message: ToHub): void {
    if (message.type === "bye") this.detach(port);
    else this.update(port, message);
    this.serve();
  }

  phase(phase: LinkPhase, reason: string): void {
    if (phase === this.currentPhase && phase !== "connecting") return;
    this.currentPhase = phase;
    this.keep({ type: "phase", phase, reason });
  }

  hello(hello: Hello): void {
    this.latest.clear();
    for (const tab of this.tabs.values()) tab.pending.clear();
    this.word_ms = Date.now();
    this.state.delete("beat"); // its clock may be another's
    this.keep({ type: "hello", hello, word_ms: this.word_ms });
  }

  beat(server_time: number): void {
    this.word_ms = Date.now();
    this.keep({ type: "beat", server_time, word_ms: this.word_ms });
  }

  symbols(symbols: readonly SymbolInfo[]): void {
    const listed = new Set(symbols.map((info) => info.symbol));
    for (const symbol of this.latest.keys()) if (!listed.has(symbol)) this.latest.delete(symbol);
    this.keep({ type: "symbols", symbols });
  }

  feeds(feeds: readonly FeedInfo[]): void {
    this.keep({ type: "feeds", feeds });
  }

  config(config: ConfigReport): void {
    this.keep({ type: "config", config });
  }

  rate(max_hz: number): void {
    this.keep({ type: "rate", max_hz });
  }

  removed(symbol: string): void {
    this.latest.delete(symbol);
    this.broadcast({ type: "removed", symbol });
  }

  quotes(quotes: readonly Quote[]): void {
    this.word_ms = Date.now();
    for (const quote of quotes) {
      const known = this.latest.get(quote.symbol);
      if (known && known.seq >= quote.seq) continue;
      this.latest.set(quote.symbol, quote);
      for (const tab of this.tabs.values()) tab.pending.set(quote.symbol, quote);
    }
    for (const tab of this.tabs.values()) this.schedule(tab);
  }

  /** Remembered for tabs that come later. */
  private keep(message: FromHub): void {
    this.state.set(message.type, message);
    this.broadcast(message);
  }

  private broadcast(message: FromHub): void {
    for (const tab of this.tabs.values()) {
      if (message.type === "phase" && message.phase === "synced") this.flushAll(tab); // the prices first, then the claim
      tab.port.postMessage(message);
    }
  }

  private update(port: Port, interest: Interest): void {
    const known = this.tabs.get(port);
    if (known) {
      const returned = interest.visible && !known.interest.visible;
      known.interest = interest;
      known.heard_ms = Date.now();
      if (returned) this.flushAll(known);
      return;
    }
    const tab: Tab = { port, interest, heard_ms: Date.now(), pending: new Map(this.latest), timer: undefined, flushed_ms: 0 };
    this.tabs.set(port, tab);
    for (const type of ["hello", "beat", "symbols", "feeds", "config", "rate"] as const) {
      const message = this.state.get(type);
      if (message) port.postMessage(message);
    }
    this.flushAll(tab);
    const phase = this.state.get("phase");
    if (phase) port.postMessage(phase);
  }

  private detach(port: Port): void {
    clearTimeout(this.tabs.get(port)?.timer);
    this.tabs.delete(port);
  }

  /** Brings the session in line with what the tabs want. */
  private serve(): void {
    const tabs = [...this.tabs.values()];
    if (!tabs.some((tab) => tab.interest.online)) {
      this.stop();
      return;
    }
    if (!this.session) this.start();
    const visible = tabs.filter((tab) => tab.interest.visible);
    this.session?.setBoardRate(Math.max(...tabs.map((tab) => tab.interest.board_hz)));
    const rates = visible.map((tab) => tab.interest.symbol_hz);
    if (rates.length > 0) this.session?.setSymbolRate(rates.includes(null) ? null : Math.max(...rates.map((hz) => hz ?? 0)));
    this.session?.want(new Set(visible.flatMap((tab) => tab.interest.symbols)));
  }

  private start(): void {
    this.session = this.open(this);
    this.counted = { messages: 0, bytes: 0 };
    this.ticker ??= setInterval(() => this.tick(), STATS_MS);
  }

  /** Nobody looks, or there is no network: prices kept any longer would only get old. */
  private stop(): void {
    if (!this.session) return;
    this.session.close();
    this.session = undefined;
    clearInterval(this.ticker);
    this.ticker = undefined;
    this.latest.clear();
    this.phase("connecting", "");
  }

  private tick(): void {
    for (const tab of [...this.tabs.values()]) if (Date.now() - tab.heard_ms > SILENT_TAB_MS) this.detach(tab.port);
    this.serve();
    const session = this.session;
    if (!session) return;
    session.roundTrip((round_trip_ms) => {
      this.roundTrip_ms = round_trip_ms;
    });
    const stats = {
      messages: session.messages - this.counted.messages, bytes: session.bytes - this.counted.bytes, round_trip_ms: this.roundTrip_ms,
    };
    this.counted = { messages: session.messages, bytes: session.bytes };
    for (const tab of this.tabs.values()) if (tab.interest.visible) tab.port.postMessage({ type: "stats", stats });
  }

  private schedule(tab: Tab): void {
    if (tab.timer !== undefined || tab.pending.size === 0) return;
    const pause_ms = tab.interest.visible ? GATHER_MS : Math.max(GATHER_MS, tab.flushed_ms + 1000 / tab.interest.board_hz - Date.now());
    tab.timer = setTimeout(() => {
      tab.timer = undefined;
      this.flush(tab);
      this.schedule(tab);
    }, pause_ms);
  }

  private flush(tab: Tab): void {
    tab.flushed_ms = Date.now();
    const quotes: Quote[] = [];
    for (const [symbol, quote] of tab.pending) {
      if (quotes.length === CHUNK) break;
      quotes.push(quote);
      tab.pending.delete(symbol);
    }
    if (quotes.length > 0) tab.port.postMessage({ type: "quotes", quotes, word_ms: this.word_ms });
  }

  private flushAll(tab: Tab): void {
    clearTimeout(tab.timer);
    tab.timer = undefined;
    while (tab.pending.size > 0) this.flush(tab);
  }
}
