import { Manager, type Socket } from "socket.io-client";
import type { LinkPhase } from "../freshness";
import type { ConfigReport, FeedInfo, Hello, Quote, SymbolInfo } from "../wire";

export interface SessionEvents {
  phase(phase: LinkPhase, reason: string): void;
  hello(hello: Hello): void;
  beat(server_time: number): void;
  symbols(symbols: readonly SymbolInfo[]): void;
  feeds(feeds: readonly FeedInfo[]): void;
  config(config: ConfigReport): void;
  quotes(quotes: readonly Quote[]): void;
  removed(symbol: string): void;
  /** What the server granted for each joined symbol, updates a second. */
  rate(max_hz: number): void;
}

const CONNECT_TIMEOUT_MS = 2000;
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 2000;
/** What the library is told so that its first wait is 500 to 1,000 ms: a mean, and the share by which it varies. */
const BACKOFF_MEAN_MS = 750;
const BACKOFF_JITTER = 1 / 3;
/** Asks for all that the server grants: it clamps. */
const UNLIMITED_HZ = 1000;
/** No snapshot came this long after the subscription was granted: there is no price yet. */
const SNAPSHOT_WAIT_MS = 2000;
const WATCH_MS = 1000;
const PROBE_TIMEOUT_MS = 5000;
/** A server that asks for a token we don't have is tried again so often: it may have changed its mind. */
const REFUSED_RETRY_MS = 15_000;
/** A server that restarts may ask to be left alone for as long as this. */
const MAX_REST_MS = 60_000;

/** One connection to the server: the board on `/`, and a namespace for each symbol somebody looks at. */
export class Session {
  /** Counted since the start, for rates. */
  messages = 0;
  bytes = 0;
  private readonly manager: Manager;
  private readonly board: Socket;
  private readonly joined = new Map<string, Socket>();
  private wanted: ReadonlySet<string> = new Set();
  private board_hz = 1;
  private symbol_hz: number | null = null;
  private heartbeat_s = 5;
  private epoch = "";
  private lastWord_ms = 0;
  private greeted = false;
  private synced = false;
  private token = "";
  /** The server wants a token, and has not been given a good one. */
  private refused = false;
  /** Until then the server wants to be left alone: it restarts. Epoch ms. */
  private rest_until_ms = 0;
  private probe: { text: string; sent_ms: number; done: (round_trip_ms: number) => void } | undefined;
  private readonly watch: ReturnType<typeof setInterval>;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private snapshotWait: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, private readonly events: SessionEvents) {
    this.manager = new Manager(url, {
      transports: ["websocket", "polling"], tryAllTransports: true, timeout: CONNECT_TIMEOUT_MS, autoConnect: false,
      reconnectionDelay: BACKOFF_MEAN_MS, reconnectionDelayMax: BACKOFF_MAX_MS, randomizationFactor: BACKOFF_JITTER,
    });
    this.manager.on("open", () => {
      this.lastWord_ms = Date.now();
      this.manager.engine.on("data", (data: unknown) => this.onData(data));
    });
    this.manager.on("close", (reason) => this.onLost(reason));
    this.manager.on("error", (error) => {
      this.refused = false; // nobody is there to refuse anything
      this.onLost(error.message);
    });
    this.board = this.socket("/");
    this.listen();
    this.watch = setInterval(() => this.watchSilence(), WATCH_MS);
    events.phase("connecting", "");
    this.board.connect();
  }

  /** Joins and leaves namespaces until exactly these are joined. */
  want(symbols: ReadonlySet<string>): void {
    this.wanted = symbols;
    if (!this.greeted) return;
    for (const [symbol, socket] of this.joined) {
      if (!symbols.has(symbol)) this.leave(symbol, socket);
    }
    for (const symbol of symbols) {
      if (!this.joined.has(symbol)) this.join(symbol);
    }
  }

  setBoardRate(max_hz: number): void {
    if (max_hz === this.board_hz) return;
    this.board_hz = max_hz;
    if (this.greeted) this.board.emit("subscribe", { symbols: "*", max_hz }, () => undefined);
  }

  /** `null`: as fast as the server goes. */
  setSymbolRate(max_hz: number | null): void {
    if (max_hz === this.symbol_hz) return;
    this.symbol_hz = max_hz;
    this.sendSymbolRate();
  }

  /** What the server is told when it asks who reads. One that has refused us is asked again at once. */
  setToken(token: string): void {
    if (token === this.token) return;
    this.token = token;
    if (!this.refused) return;
    this.refused = false;
    this.open();
  }

  /** Milliseconds there and back; undefined while an earlier probe is under way or no connection stands. */
  roundTrip(done: (round_trip_ms: number) => void): void {
    if (!this.synced || (this.probe && Date.now() - this.probe.sent_ms < PROBE_TIMEOUT_MS)) return;
    const text = `probe ${Date.now()}`;
    this.probe = { text, sent_ms: performance.now(), done };
    this.board.emit("message", text);
  }

  /** Now, without sitting out the back-off. An attempt that is under way goes on, and a server that asked for rest gets it. */
  reconnect(): void {
    if (this.board.connected || this.manager._readyState === "opening" || Date.now() < this.rest_until_ms) return;
    this.open();
  }

  close(): void {
    clearInterval(this.watch);
    clearTimeout(this.retry);
    clearTimeout(this.snapshotWait);
    this.manager.removeAllListeners();
    this.board.removeAllListeners();
    this.dropNamespaces();
    this.board.disconnect();
  }

  private listen(): void {
    const { board, events } = this;
    board.on("connect", () => this.onConnect());
    board.on("disconnect", (reason) => {
      this.onLost(reason);
      if (reason === "io server disconnect") this.openLater(); // the library leaves coming back from this one to us
    });
    board.on("connect_error", (error: Error & { data?: { code?: string } }) => {
      this.refused = error.data?.code === "unauthorized";
      this.onLost(error.message);
      if (!board.active) this.openLater(); // refused by the server, not by the network
    });
    board.on("hello", (hello: Hello) => this.onHello(hello));
    board.on("beat", (beat: { server_time: number }) => events.beat(beat.server_time));
    board.on("symbols", (symbols: SymbolInfo[]) => events.symbols(symbols));
    board.on("feeds", (feeds: FeedInfo[]) => events.feeds(feeds));
    board.on("config", (config: ConfigReport) => events.config(config));
    board.on("quotes", (quotes: Quote[]) => {
      events.quotes(quotes);
      this.onSnapshot();
    });
    board.on("message", (text: string) => this.onEcho(text));
    board.on("shutdown", ({ retry_after_ms }: { retry_after_ms: number }) => this.onShutdown(retry_after_ms));
  }

  private onConnect(): void {
    this.refused = false;
    this.events.phase("syncing", "");
  }

  private onHello(hello: Hello): void {
    this.greeted = true;
    this.heartbeat_s = hello.heartbeat_s;
    this.epoch = hello.epoch;
    this.events.hello(hello);
    this.board.emit("subscribe", { symbols: "*", max_hz: this.board_hz }, (answer: { ok: boolean; subscribed?: string[] }) => {
      if (answer.ok && answer.subscribed?.length === 0) this.onSnapshot();
      else this.snapshotWait = setTimeout(() => this.onSnapshot(), SNAPSHOT_WAIT_MS);
    });
    this.sendSymbolRate();
    this.want(this.wanted);
  }

  private onSnapshot(): void {
    if (this.synced || !this.greeted) return;
    this.synced = true;
    this.events.phase("synced", "");
  }

  private onLost(reason: string): void {
    this.greeted = false;
    this.synced = false;
    this.probe = undefined;
    clearTimeout(this.snapshotWait);
    this.dropNamespaces();
    const resting = Date.now() < this.rest_until_ms;
    if (!this.manager.reconnection()) this.openLater();
    this.events.phase(this.refused ? "refused" : resting ? "restarting" : "connecting", reason);
  }

  /** The server is about to go. It says when to come back: a thousand readers at once would be too much for a fresh one. */
  private onShutdown(retry_after_ms: number): void {
    this.rest_until_ms = Date.now() + Math.min(MAX_REST_MS, Math.max(0, retry_after_ms || 0));
    this.manager.reconnection(false); // from here on it is up to us, until the next attempt
  }

  private onData(data: unknown): void {
    this.lastWord_ms = Date.now();
    this.messages += 1;
    this.bytes += typeof data === "string" ? data.length : 0;
  }

  private onEcho(text: string): void {
    if (this.probe && text === `Echo: ${this.probe.text}`) {
      this.probe.done(performance.now() - this.probe.sent_ms);
      this.probe = undefined;
    }
  }

  /** An open socket that says nothing is a dead one: this notices in two heartbeats what TCP notices in minutes. */
  private watchSilence(): void {
    if (this.board.connected && Date.now() - this.lastWord_ms > 2000 * this.heartbeat_s) this.manager.engine.close();
  }

  private openLater(): void {
    clearTimeout(this.retry);
    const backoff_ms = BACKOFF_MIN_MS + Math.random() * (BACKOFF_MAX_MS - BACKOFF_MIN_MS);
    const rest_ms = this.rest_until_ms - Date.now();
    this.retry = setTimeout(() => this.open(), this.refused ? REFUSED_RETRY_MS : rest_ms > 0 ? rest_ms : backoff_ms);
  }

  private open(): void {
    clearTimeout(this.retry);
    this.manager.reconnection(true);
    this.board.disconnect();
    this.board.connect();
  }

  private sendSymbolRate(): void {
    if (!this.greeted) return;
    this.board.emit("rate", { max_hz: this.symbol_hz ?? UNLIMITED_HZ }, (answer: { ok: boolean; max_hz?: number }) => {
      if (answer.ok && answer.max_hz !== undefined) this.events.rate(answer.max_hz);
    });
  }

  private socket(namespace: string): Socket {
    return this.manager.socket(namespace, { auth: (give) => give(this.token === "" ? {} : { token: this.token }) });
  }

  private join(symbol: string): void {
    const socket = this.socket(`/${symbol}`); // the raw name: a namespace is never percent-encoded
    this.joined.set(symbol, socket);
    let current = false; // the library may hand over a quote it kept from before a reconnect; the first of this one names its epoch
    socket.on("quote", (quote: Quote) => {
      if (quote.epoch !== undefined) current = quote.epoch === this.epoch;
      if (current) this.events.quotes([quote]);
    });
    socket.on("removed", () => this.events.removed(symbol));
    socket.on("disconnect", () => this.forget(symbol, socket));
    socket.on("connect_error", () => this.forget(symbol, socket));
    socket.connect();
  }

  private leave(symbol: string, socket: Socket): void {
    this.forget(symbol, socket);
    socket.disconnect();
  }

  private forget(symbol: string, socket: Socket): void {
    socket.removeAllListeners();
    if (this.joined.get(symbol) === socket) this.joined.delete(symbol);
  }

  private dropNamespaces(): void {
    for (const [symbol, socket] of [...this.joined]) this.leave(symbol, socket);
  }
}
