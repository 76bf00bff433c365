import { Manager, type Socket } from "socket.io-client";
import type { Obstacle } from "../model/connection";
import type { TransportName } from "../model/messages";
import type { Beat, ConfigReport, FeedInfo, Hello, Quote, Shutdown, SymbolInfo } from "../model/wire";
import { Namespaces } from "./namespaces";
import { readObstacle } from "./obstacle";
import { Probe } from "./probe";
import type { SessionEvents } from "./session-events";
import { FIRST_LIMIT_MS, type TransportPolicy } from "./transport-policy";
import { transportsTelling } from "./transports";

const BACKOFF_MIN_MS = 500;
/** The longest wait after a first failure, and after others. */
const BACKOFF_FIRST_MS = 1000;
const BACKOFF_MAX_MS = 2000;
/** Asks for all that the server grants: it clamps. */
const UNLIMITED_HZ = 1000;
/** No snapshot came this long after the subscription was granted: there is no price yet. */
const SNAPSHOT_WAIT_MS = 2000;
/** All prices at once may fill a slow line for so many times as long as a step may take, and nothing else is heard meanwhile. */
const SNAPSHOT_STEPS = 6;
const WATCH_MS = 1000;
/** A server that asks for a token we don't have is tried again so often: it may have changed its mind. */
const REFUSED_RETRY_MS = 15_000;
/** A server that restarts may ask to be left alone for as long as this. */
const MAX_REST_MS = 60_000;

/** How far an attempt has come: what it waits for. `idle`: there is none; `synced`: it has come to stand. */
type Stage = "idle" | "opening" | "greeting" | "subscribing" | "filling" | "synced";

/**
 * One connection to the server: the board on `/`, and a namespace for each symbol somebody looks at.
 *
 * The library opens and closes; when to try, by which transport and for how long is decided here, and known by the `TransportPolicy`, which
 * outlives the session. Each step of an attempt is waited for as long as the policy says, never for an error that may not come.
 */
export class Session {
  /** Counted since the start, for rates. */
  messages = 0;
  bytes = 0;
  private readonly transports: ReturnType<typeof transportsTelling>;
  private readonly manager: Manager;
  private readonly board: Socket;
  private readonly namespaces: Namespaces;
  private wanted: ReadonlySet<string> = new Set();
  private board_hz = 1;
  private symbol_hz: number | null = null;
  private heartbeat_s = 5;
  private epoch = "";
  private lastWord_ms = 0;
  private stage: Stage = "idle";
  /** When the attempt, its present step, and what carries it now began, and its longest step so far, ms of a clock that only goes forward. */
  private begun_ms = 0;
  private step_ms = 0;
  private carried_ms = 0;
  private slowest_ms = 0;
  /** The snapshot is here, or something that came after it. */
  private filled = false;
  /** What the present attempt was answered instead of a connection, and what the last failed one was. */
  private answer: Obstacle | undefined;
  private obstacle: Obstacle | undefined;
  private failures = 0;
  private token = "";
  /** The server wants a token, and has not been given a good one. */
  private refused = false;
  /** Until then the server wants to be left alone: it restarts. Epoch ms. */
  private rest_until_ms = 0;
  private readonly probe = new Probe((text) => this.board.emit("message", text));
  private readonly watch: ReturnType<typeof setInterval>;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private limit: ReturnType<typeof setTimeout> | undefined;
  private snapshotWait: ReturnType<typeof setTimeout> | undefined;

  constructor(server: { origin: string; path: string }, private readonly policy: TransportPolicy, private readonly events: SessionEvents) {
    this.transports = transportsTelling((status, body) => {
      this.answer = readObstacle(status, body);
    });
    this.manager = new Manager(server.origin, { path: server.path, tryAllTransports: true, reconnection: false, autoConnect: false });
    this.manager.timeout(false); // the attempt has limits of its own, which go on where the library's ends
    this.manager.on("open", () => this.onOpen());
    this.manager.on("close", (reason) => (reason === "forced close" ? this.onLost() : this.onBroken()));
    this.manager.on("error", () => {
      this.refused = false; // nobody is there to refuse anything
      this.onBroken();
    });
    this.board = this.socket("/");
    this.namespaces = new Namespaces((namespace) => this.socket(namespace), () => this.epoch, events);
    this.listen();
    this.watch = setInterval(() => this.watchSilence(), WATCH_MS);
    events.phase("connecting");
    this.open();
  }

  /** Joins and leaves namespaces until exactly these are joined. */
  want(symbols: ReadonlySet<string>): void {
    this.wanted = symbols;
    if (this.greeted) this.namespaces.want(symbols);
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

  /** Measures milliseconds there and back; not while an earlier probe is under way, nor where no connection stands. */
  roundTrip(done: (round_trip_ms: number) => void): void {
    if (this.synced) this.probe.start(done);
  }

  /** Now, without sitting out the back-off. An attempt that has just begun goes on, and a server that asked for rest gets it. */
  reconnect(): void {
    if (this.board.connected || Date.now() < this.rest_until_ms) return;
    if (this.stage !== "idle" && performance.now() - this.begun_ms < FIRST_LIMIT_MS) return;
    this.open();
  }

  close(): void {
    clearInterval(this.watch);
    clearTimeout(this.retry);
    clearTimeout(this.limit);
    clearTimeout(this.snapshotWait);
    this.manager.removeAllListeners();
    this.board.removeAllListeners();
    this.namespaces.leaveAll();
    this.board.disconnect();
  }

  private listen(): void {
    const { board, events } = this;
    board.on("connect", () => this.onConnect());
    board.on("disconnect", () => this.onLost());
    board.on("connect_error", (error: Error & { data?: { code?: string } }) => {
      this.refused = error.data?.code === "unauthorized";
      this.onLost();
    });
    board.on("hello", (hello: Hello) => this.onHello(hello));
    board.on("beat", (beat: Beat) => {
      events.beat(beat.server_time);
      if (this.stage === "filling" || this.synced) this.onFilled();
    });
    board.on("symbols", (symbols: SymbolInfo[]) => events.symbols(symbols));
    board.on("feeds", (feeds: FeedInfo[]) => events.feeds(feeds));
    board.on("config", (config: ConfigReport) => events.config(config));
    board.on("quotes", (quotes: Quote[]) => {
      events.quotes(quotes);
      this.onSnapshot();
    });
    board.on("message", (text: string) => this.probe.heard(text));
    board.on("shutdown", ({ retry_after_ms }: Shutdown) => this.onShutdown(retry_after_ms));
  }

  private onOpen(): void {
    const { engine } = this.manager;
    this.lastWord_ms = Date.now();
    this.next("greeting");
    engine.on("data", (data: unknown) => engine === this.manager.engine && this.onData(data));
    engine.on("upgrade", () => {
      this.carried_ms = performance.now();
    });
  }

  private onConnect(): void {
    this.refused = false;
    this.events.phase("syncing");
  }

  private onHello(hello: Hello): void {
    this.next("subscribing");
    this.heartbeat_s = hello.heartbeat_s;
    this.epoch = hello.epoch;
    this.events.hello(hello);
    this.board.emit("subscribe", { symbols: "*", max_hz: this.board_hz }, (answer: { ok: boolean; subscribed?: string[] }) => {
      if (this.stage !== "subscribing") return;
      this.next("filling");
      clearTimeout(this.limit);
      if (answer.ok && answer.subscribed?.length === 0) this.onSynced();
      else this.snapshotWait = setTimeout(() => this.onSynced(), Math.max(SNAPSHOT_WAIT_MS, 2 * this.slowest_ms));
    });
    this.sendSymbolRate();
    this.want(this.wanted);
  }

  private onSnapshot(): void {
    this.onFilled();
    this.onSynced();
  }

  private onFilled(): void {
    if (this.filled || !this.greeted) return;
    this.filled = true;
    this.policy.stands(this.transport, this.slowest_ms);
  }

  private onSynced(): void {
    if (this.synced || !this.greeted) return;
    clearTimeout(this.limit);
    clearTimeout(this.snapshotWait);
    this.stage = "synced";
    this.carried_ms = performance.now();
    this.failures = 0;
    this.obstacle = undefined;
    this.events.phase("synced");
  }

  /** The attempt has taken a step, and waits for the next one. */
  private next(stage: Stage): void {
    const now_ms = performance.now();
    if (stage === "opening") {
      this.begun_ms = now_ms;
      this.slowest_ms = 0;
      this.filled = false;
      this.answer = undefined;
    } else {
      this.slowest_ms = Math.max(this.slowest_ms, now_ms - this.step_ms);
    }
    this.stage = stage;
    this.step_ms = now_ms;
    clearTimeout(this.limit);
    this.limit = setTimeout(() => this.onHung(), this.policy.limit_ms);
  }

  /** No step for too long. No error may ever come of it, so none is waited for; the policy says what is tried now. */
  private onHung(): void {
    this.policy.failed(this.transport, true);
    this.giveUp();
    this.open();
  }

  /** The connection broke, or could not be made. */
  private onBroken(): void {
    if (this.synced) this.policy.ended(this.transport, performance.now() - this.carried_ms, false);
    else if (this.stage !== "idle") this.policy.failed(this.transport, false);
    this.onLost();
  }

  private onLost(): void {
    if (this.stage !== "idle" && !this.synced) {
      this.obstacle = this.answer;
      this.failures += 1;
    }
    this.stage = "idle";
    this.probe.forget();
    clearTimeout(this.limit);
    clearTimeout(this.snapshotWait);
    this.namespaces.leaveAll();
    this.openLater();
    const resting = Date.now() < this.rest_until_ms;
    this.events.phase(this.refused ? "refused" : resting ? "restarting" : this.obstacle ? "obstructed" : "connecting", this.obstacle);
  }

  /** The server is about to go. It says when to come back: a thousand readers at once would be too much for a fresh one. */
  private onShutdown(retry_after_ms: number): void {
    this.rest_until_ms = Date.now() + Math.min(MAX_REST_MS, Math.max(0, retry_after_ms || 0));
  }

  private onData(data: unknown): void {
    this.lastWord_ms = Date.now();
    this.messages += 1;
    this.bytes += typeof data === "string" ? data.length : 0;
  }

  /** An open socket that says nothing is a dead one: this notices in two heartbeats what TCP notices in minutes. */
  private watchSilence(): void {
    if (!this.greeted || this.stage === "subscribing" || Date.now() - this.lastWord_ms <= this.patience_ms) return;
    if (this.filled) this.policy.ended(this.transport, performance.now() - this.carried_ms, true);
    else this.policy.failed(this.transport, true);
    this.giveUp();
  }

  /** How long a connection that stands may be silent, ms. */
  private get patience_ms(): number {
    const beats_ms = 2000 * this.heartbeat_s;
    return this.filled ? beats_ms : Math.max(beats_ms, SNAPSHOT_STEPS * this.policy.limit_ms);
  }

  private get greeted(): boolean {
    return this.stage === "subscribing" || this.stage === "filling" || this.stage === "synced";
  }

  private get synced(): boolean {
    return this.stage === "synced";
  }

  /** What carries the connection, or is tried. */
  private get transport(): TransportName {
    return this.manager.engine?.transport?.name === "polling" ? "polling" : "websocket";
  }

  /** Ends what there is, whatever state the library is in: it would first send what waits, and that may be for ever. */
  private giveUp(): void {
    this.manager._close();
  }

  private openLater(): void {
    clearTimeout(this.retry);
    const most_ms = this.failures > 1 ? BACKOFF_MAX_MS : BACKOFF_FIRST_MS;
    const backoff_ms = BACKOFF_MIN_MS + Math.random() * (most_ms - BACKOFF_MIN_MS);
    const rest_ms = this.rest_until_ms - Date.now();
    this.retry = setTimeout(() => this.open(), this.refused ? REFUSED_RETRY_MS : rest_ms > 0 ? rest_ms : backoff_ms);
  }

  private open(): void {
    const { transports, upgrade } = this.policy.attempt();
    Object.assign(this.manager.opts, { transports: transports.map((name) => this.transports[name]), upgrade });
    this.stage = "idle"; // what ends now is not this attempt
    this.board.disconnect();
    clearTimeout(this.retry);
    this.next("opening");
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
}
