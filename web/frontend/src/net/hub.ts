import type { LinkPhase, Obstacle } from "../model/connection";
import type { Interest, News, Port, ToHub } from "../model/messages";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "../model/wire";
import type { Session } from "./session";
import type { SessionEvents } from "./session-events";
import { TabQueue } from "./tab-queue";
import { TransportPolicy } from "./transport-policy";

/** A tab that was not heard of for so long is gone without a word. Hidden tabs may speak only once a minute. */
const SILENT_TAB_MS = 150_000;
const STATS_MS = 1000;
/** Phases in which an attempt out of turn may help. */
const REVIVABLE: ReadonlySet<LinkPhase> = new Set(["connecting", "obstructed"]);

interface Tab {
  queue: TabQueue;
  interest: Interest;
  heard_ms: number;
}

type SessionLike = Pick<
  Session, "want" | "setBoardRate" | "setSymbolRate" | "setToken" | "roundTrip" | "reconnect" | "close" | "messages" | "bytes"
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
  /** The newest news of each kind, for tabs that come later. */
  private readonly state = new Map<News["type"], News>();
  private readonly latest = new Map<string, Quote>();
  private ticker: ReturnType<typeof setInterval> | undefined;
  private counted = { messages: 0, bytes: 0 };
  private roundTrip_ms: number | null = null;
  private token = "";
  /** Kept from one session to the next. */
  private policy: TransportPolicy | undefined;

  constructor(private readonly open: (events: SessionEvents, policy: TransportPolicy) => SessionLike) {}

  /** A word from the tab behind `port`. */
  receive(port: Port, message: ToHub): void {
    const tab = this.tabs.get(port);
    if (tab) tab.heard_ms = Date.now();
    if (message.type === "taken") {
      tab?.queue.taken();
      return;
    }
    if (message.type === "bye") {
      this.detach(port);
    } else {
      if (tab) this.update(tab, message);
      else this.attach(port, message);
      this.learn(message.token);
    }
    this.serve();
  }

  phase(phase: LinkPhase, obstacle?: Obstacle): void {
    if (phase === this.currentPhase && phase !== "connecting" && phase !== "obstructed") return;
    this.currentPhase = phase;
    if (phase === "refused") {
      this.token = "";
      this.state.delete("token");
    }
    this.keep({ type: "phase", phase, obstacle });
    if (phase === "synced") this.tellTransport();
  }

  /** Tabs remember it over a reload. Of a WebSocket that gets through they need not hear, if it was never otherwise. */
  private tellTransport(): void {
    const first = this.policy?.first;
    const isUsual = first === "websocket" && ![...this.tabs.values()].some((tab) => tab.interest.transport === "polling");
    if (first && (!isUsual || this.state.has("transport"))) this.keep({ type: "transport", first });
  }

  hello(hello: Hello): void {
    this.latest.clear();
    this.state.delete("beat"); // its clock may be another's
    this.keep({ type: "hello", hello, arrived_ms: Date.now() });
  }

  beat(server_time: number): void {
    this.keep({ type: "beat", server_time, arrived_ms: Date.now() });
  }

  symbols(symbols: readonly SymbolInfo[]): void {
    const listed = new Set(symbols.map((info) => info.symbol));
    for (const symbol of this.latest.keys()) if (!listed.has(symbol)) this.removed(symbol);
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

  /** The list of symbols follows and tells the tabs. */
  removed(symbol: string): void {
    this.latest.delete(symbol);
    for (const tab of this.tabs.values()) tab.queue.forget(symbol);
  }

  quotes(quotes: readonly Quote[]): void {
    const arrived_ms = Date.now();
    for (const quote of quotes) {
      const known = this.latest.get(quote.symbol);
      if (known && known.seq >= quote.seq) continue;
      this.latest.set(quote.symbol, quote);
      for (const tab of this.tabs.values()) tab.queue.add(quote, arrived_ms);
    }
    for (const tab of this.tabs.values()) tab.queue.schedule();
  }

  private keep(news: News): void {
    this.state.set(news.type, news);
    for (const tab of this.tabs.values()) tab.queue.tell(news);
  }

  private attach(port: Port, interest: Interest): void {
    const queue = new TabQueue(port);
    heed(queue, interest);
    this.tabs.set(port, { queue, interest, heard_ms: Date.now() });
    const { phase, ...rest } = Object.fromEntries(this.state);
    for (const news of Object.values(rest)) queue.tell(news);
    for (const quote of this.latest.values()) queue.add(quote, Date.now());
    queue.hurry();
    if (phase) queue.tell(phase);
  }

  private update(tab: Tab, interest: Interest): void {
    const before = tab.interest;
    tab.interest = interest;
    heed(tab.queue, interest);
    if (!interest.visible || before.visible) return;
    tab.queue.hurry();
    this.revive(interest);
  }

  /** A tab's token counts for all of them. */
  private learn(token: string): void {
    if (token === "" || token === this.token) return;
    this.token = token;
    this.keep({ type: "token", token });
    this.session?.setToken(token);
  }

  private detach(port: Port): void {
    this.tabs.get(port)?.queue.close();
    this.tabs.delete(port);
  }

  /** Somebody looks again (a lid was opened, a tab chosen): do not sit out the back-off. */
  private revive(interest: Interest): void {
    if (interest.visible && interest.online && REVIVABLE.has(this.currentPhase)) this.session?.reconnect();
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
    this.policy ??= new TransportPolicy([...this.tabs.values()].find((tab) => tab.interest.transport)?.interest.transport);
    this.session = this.open(this, this.policy);
    this.session.setToken(this.token);
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
    this.phase("connecting");
  }

  private tick(): void {
    for (const [port, tab] of [...this.tabs]) if (Date.now() - tab.heard_ms > SILENT_TAB_MS) this.detach(port);
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
    for (const tab of this.tabs.values()) if (tab.interest.visible) tab.queue.tell({ type: "stats", stats });
  }
}

/** A hidden tab gets the board's pace; a visible one its own, which may be below that of another tab on the same session. */
function heed(queue: TabQueue, interest: Interest): void {
  const hz = interest.visible ? interest.symbol_hz : interest.board_hz;
  queue.pause_ms = hz === null ? 0 : 1000 / hz;
  queue.near = new Set(interest.symbols);
}
