import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Obstacle } from "../../src/model/connection";
import { Session } from "../../src/net/session";
import type { SessionEvents } from "../../src/net/session-events";
import { TransportPolicy } from "../../src/net/transport-policy";

type Listener = (...args: never[]) => void;

/** The library's half, as far as the session leans on it; the test plays the network. */
class Emitter {
  private readonly listeners = new Map<string, Listener[]>();

  on(name: string, listener: Listener): this {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
    return this;
  }

  removeAllListeners(): void {
    this.listeners.clear();
  }

  play(name: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(name) ?? []) listener(...(args as never[]));
  }
}

class FakeSocket extends Emitter {
  connected = false;
  active = true;
  attempts = 0;
  readonly emitted: unknown[][] = [];

  constructor(private readonly options: { auth: (give: (data: object) => void) => void }, private readonly manager: FakeManager) {
    super();
  }

  connect(): void {
    this.attempts += 1;
    this.manager.opening();
  }

  disconnect(): void {
    this.connected = false;
  }

  emit(...args: unknown[]): void {
    this.emitted.push(args);
  }

  /** What would stand in its CONNECT packet. */
  credentials(): object {
    let given = {};
    this.options.auth((data) => (given = data));
    return given;
  }
}

interface FakeTransport {
  new (options: object): unknown;
  prototype: { name: string };
}

class FakeManager extends Emitter {
  static newest: FakeManager;
  engine = Object.assign(new Emitter(), { transport: { name: "websocket" } });
  readonly sockets = new Map<string, FakeSocket>();
  opts: { transports?: FakeTransport[]; upgrade?: boolean } = {};

  constructor() {
    super();
    FakeManager.newest = this;
  }

  timeout(): this {
    return this;
  }

  /** A socket connects: there is a new engine, which begins with the transport it was told to. */
  opening(): void {
    this.engine = Object.assign(new Emitter(), { transport: { name: this.opts.transports?.[0]?.prototype.name ?? "" } });
  }

  opened(): void {
    this.play("open");
  }

  _close(): void {
    for (const socket of this.sockets.values()) socket.connected = false;
    this.play("close", "forced close");
  }

  socket(namespace: string, options: { auth: (give: (data: object) => void) => void }): FakeSocket {
    const socket = this.sockets.get(namespace) ?? new FakeSocket(options, this);
    this.sockets.set(namespace, socket);
    return socket;
  }
}

vi.mock("socket.io-client", () => {
  const transport = (name: string): unknown => class {
    constructor(private readonly options: { xhr: object }) {}
    get name(): string { return name; }
    request(): object { return { _xhr: this.options.xhr }; }
  };
  return { Manager: class { constructor() { return new FakeManager(); } }, WebSocket: transport("websocket"), XHR: transport("polling") };
});

let phases: string[];
let obstacles: (Obstacle | undefined)[];
let policy: TransportPolicy;
let session: Session;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  phases = [];
  obstacles = [];
  policy = new TransportPolicy();
  const ignore = (): void => undefined;
  const events: SessionEvents = {
    phase: (phase, obstacle) => {
      if (phases.at(-1) !== phase) phases.push(phase);
      obstacles.push(obstacle);
    },
    hello: ignore, beat: ignore, symbols: ignore, feeds: ignore, config: ignore,
    quotes: ignore, removed: ignore, rate: ignore,
  };
  session = new Session({ origin: "http://host", path: "/socket.io" }, policy, events);
});

afterEach(() => {
  session.close();
  vi.useRealTimers();
});

function board(): FakeSocket {
  return FakeManager.newest.sockets.get("/") as FakeSocket;
}

function greet(): void {
  FakeManager.newest.opened();
  board().connected = true;
  board().play("connect");
  board().play("hello", { epoch: "e1", version: "1", server_time: Date.now(), flush_ms: 50, heartbeat_s: 5 });
  board().play("quotes", []);
}

/** As the library has it: the connection is closed first, then the reason is told. */
function refuse(code: string): void {
  FakeManager.newest.play("close", "forced close");
  board().active = false;
  board().play("connect_error", Object.assign(new Error(code), { data: { code } }));
}

describe("a server that asks for a token", () => {
  test("is not bothered with tries, until there is a token: then at once, with the token in the packet", () => {
    refuse("unauthorized");
    expect(phases).toEqual(["connecting", "refused"]);
    vi.advanceTimersByTime(14_000);
    expect(board().attempts).toBe(1);
    expect(board().credentials()).toEqual({});
    session.setToken("secret");
    expect(board().attempts).toBe(2);
    expect(board().credentials()).toEqual({ token: "secret" });
    greet();
    expect(phases).toEqual(["connecting", "refused", "syncing", "synced"]);
  });

  test("is asked again now and then, without a flicker: it may have been restarted without the need", () => {
    refuse("unauthorized");
    vi.advanceTimersByTime(15_000);
    expect(board().attempts).toBe(2);
    FakeManager.newest.play("close", "forced close");
    refuse("unauthorized");
    expect(phases).toEqual(["connecting", "refused"]);
  });

  test("every namespace gets the token", () => {
    session.setToken("secret");
    session.want(new Set(["ACME"]));
    greet();
    expect(FakeManager.newest.sockets.get("/ACME")?.credentials()).toEqual({ token: "secret" });
  });

  test("a server that is not there refuses nobody", () => {
    refuse("unauthorized");
    FakeManager.newest.play("error", new Error("xhr poll error"));
    expect(phases.at(-1)).toBe("connecting");
  });

  test("any other refusal is tried again soon, and asks nobody for a token", () => {
    refuse("too_many_clients");
    expect(phases).toEqual(["connecting"]);
    vi.advanceTimersByTime(2000);
    expect(board().attempts).toBe(2);
  });
});

describe("a server that says that it goes", () => {
  test("is left alone for as long as it asked, then tried as usual", () => {
    greet();
    board().play("shutdown", { retry_after_ms: 4000 });
    expect(phases.at(-1)).toBe("synced"); // its last prices may still come
    board().connected = false;
    FakeManager.newest.play("close", "transport close");
    expect(phases.at(-1)).toBe("restarting");
    session.reconnect();
    vi.advanceTimersByTime(3999);
    expect(board().attempts).toBe(1);
    vi.advanceTimersByTime(1);
    expect(board().attempts).toBe(2);
    FakeManager.newest.play("error", new Error("refused"));
    expect(phases.at(-1)).toBe("connecting");
  });

  test.each([[-5], [Number.NaN], [1e12]])("an odd time (%s) does not keep the page away", (retry_after_ms) => {
    greet();
    board().play("shutdown", { retry_after_ms });
    board().connected = false;
    FakeManager.newest.play("close", "transport close");
    vi.advanceTimersByTime(60_000);
    expect(board().attempts).toBeGreaterThan(1);
  });
});

/** The transports that the present attempt begins with, by name. */
function tried(): string[] {
  return (FakeManager.newest.opts.transports ?? []).map((transport) => transport.prototype.name);
}

describe("a network that swallows", () => {
  test("WebSockets: within three seconds the other transport is tried, and that is remembered", () => {
    expect(tried()).toEqual(["websocket", "polling"]);
    vi.advanceTimersByTime(3000);
    expect([board().attempts, tried()]).toEqual([2, ["polling", "websocket"]]);
    greet();
    expect(phases.at(-1)).toBe("synced");
    expect(FakeManager.newest.opts.upgrade).toBe(true); // a WebSocket may be tried beside it
    FakeManager.newest.play("close", "transport close");
    vi.advanceTimersByTime(1000);
    expect([board().attempts, tried()]).toEqual([3, ["polling", "websocket"]]);
    expect(policy.first).toBe("polling");
  });

  test("polling, where that got through the last time: the WebSocket has its turn", () => {
    policy.first = "polling";
    session.reconnect(); // too soon: that attempt goes on
    vi.advanceTimersByTime(2500);
    greet();
    FakeManager.newest.play("close", "transport close");
    vi.advanceTimersByTime(1000);
    expect(tried()[0]).toBe("polling");
    vi.advanceTimersByTime(3000);
    expect(tried()[0]).toBe("websocket");
  });

  test.each([
    ["everything after the handshake", () => FakeManager.newest.opened()],
    ["everything after CONNECT", () => { FakeManager.newest.opened(); board().connected = true; board().play("connect"); }],
    ["everything after hello", () => {
      FakeManager.newest.opened();
      board().connected = true;
      board().play("connect");
      board().play("hello", { epoch: "e1", version: "1", server_time: Date.now(), flush_ms: 50, heartbeat_s: 5 });
    }],
  ])("%s: each step has its limit, no error is waited for", (_what, play) => {
    play();
    vi.advanceTimersByTime(3000);
    expect([board().attempts, tried()[0]]).toEqual([2, "polling"]);
  });

  test("everything: the limit grows to twenty seconds, and the transports take turns", () => {
    const begins: [number, string | undefined][] = [];
    for (let passed_ms = 0; passed_ms <= 80_000; passed_ms += 500) {
      if (begins.length < board().attempts) begins.push([passed_ms, tried()[0]]);
      vi.advanceTimersByTime(500);
    }
    expect(begins).toEqual([
      [0, "websocket"], [2500, "polling"], [7500, "websocket"], [17_500, "polling"], [37_500, "websocket"], [57_500, "polling"], [77_500, "websocket"],
    ]);
  });

  test("a line that is only slow is given time: what a step took is what the next attempt may take", () => {
    vi.advanceTimersByTime(2400);
    FakeManager.newest.opened();
    vi.advanceTimersByTime(2400);
    board().connected = true;
    board().play("connect");
    board().play("hello", { epoch: "e1", version: "1", server_time: Date.now(), flush_ms: 50, heartbeat_s: 5 });
    board().play("quotes", []);
    expect([phases.at(-1), board().attempts, policy.limit_ms]).toEqual(["synced", 1, 7200]);
  });

  test("a WebSocket that opens and falls silent twice is left alone while polling works", () => {
    greet();
    vi.advanceTimersByTime(12_000);
    expect([tried()[0], FakeManager.newest.opts.upgrade]).toEqual(["polling", true]);
    greet();
    FakeManager.newest.engine.transport.name = "websocket";
    FakeManager.newest.engine.play("upgrade");
    vi.advanceTimersByTime(12_000);
    expect(tried()[0]).toBe("polling");
    expect(FakeManager.newest.opts.upgrade).toBe(false);
    FakeManager.newest.play("error", new Error("xhr poll error"));
    vi.advanceTimersByTime(2000);
    expect(FakeManager.newest.opts.upgrade).toBe(true);
  });

  test("polling that hangs with a WebSocket tried beside it is given a turn without", () => {
    vi.advanceTimersByTime(2500);
    expect([tried()[0], FakeManager.newest.opts.upgrade]).toEqual(["polling", true]);
    FakeManager.newest.opened();
    vi.advanceTimersByTime(15_000);
    expect([tried()[0], FakeManager.newest.opts.upgrade]).toEqual(["polling", false]);
    vi.advanceTimersByTime(40_000);
    expect([tried()[0], FakeManager.newest.opts.upgrade]).toEqual(["polling", true]);
  });

  test("a snapshot that fills a slow line for half a minute is not taken for silence, and is given longer each time", () => {
    const begin = (): void => {
      FakeManager.newest.opened();
      board().connected = true;
      board().play("connect");
      board().play("hello", { epoch: "e1", version: "1", server_time: Date.now(), flush_ms: 50, heartbeat_s: 5 });
      const [, , acknowledged] = board().emitted.findLast(([event]) => event === "subscribe") as [string, object, (answer: object) => void];
      acknowledged({ ok: true, subscribed: ["ACME"] });
    };
    begin();
    vi.advanceTimersByTime(14_000);
    expect(board().connected).toBe(true);
    vi.advanceTimersByTime(4000);
    expect([board().connected, board().attempts]).toEqual([false, 2]);
    begin();
    vi.advanceTimersByTime(29_000);
    expect(board().connected).toBe(true);
    board().play("quotes", []);
    vi.advanceTimersByTime(12_000);
    expect(board().connected).toBe(false); // from here on two heartbeats count
  });

  test("somebody who looks again does not wait for an attempt that hangs", () => {
    vi.advanceTimersByTime(2600);
    session.reconnect();
    expect(board().attempts).toBe(2); // it has just begun
    vi.advanceTimersByTime(2600);
    session.reconnect();
    expect(board().attempts).toBe(3);
  });
});

describe("an attempt that was answered with a refusal", () => {
  const refusal = '{"code":4,"message":"origin not allowed","reason":"origin_not_allowed"}';
  /** As the polling transport hears it: of the class that the session gave to the library. */
  const answered = (status: number, body: string): void => {
    const xhr = Object.assign(new EventTarget(), { status, responseText: body, abort: vi.fn(), timeout: 0 });
    const Polling = FakeManager.newest.opts.transports?.find((transport) => transport.prototype.name === "polling");
    const transport = new (Polling as FakeTransport)({ xhr }) as { request(): void };
    transport.request();
    xhr.dispatchEvent(new Event("load"));
  };

  test("says why, until a connection stands or an attempt ends without an answer", () => {
    answered(400, refusal);
    FakeManager.newest.play("error", new Error("xhr poll error"));
    expect(phases).toEqual(["connecting", "obstructed"]);
    expect(obstacles.at(-1)).toEqual({ reason: "origin_not_allowed", message: "origin not allowed", status: 400 });
    vi.advanceTimersByTime(1000);
    FakeManager.newest.play("error", new Error("websocket error"));
    expect([phases.at(-1), obstacles.at(-1)]).toEqual(["connecting", undefined]);
    vi.advanceTimersByTime(2000);
    answered(502, "<html>");
    FakeManager.newest.play("error", new Error("xhr poll error"));
    expect([phases.at(-1), obstacles.at(-1)?.reason]).toEqual(["obstructed", "proxy"]);
    vi.advanceTimersByTime(2000);
    greet();
    FakeManager.newest.play("close", "transport close");
    expect([phases.at(-1), obstacles.at(-1)]).toEqual(["connecting", undefined]);
  });

  test("in the middle of a connection says nothing: that is how a restart looks", () => {
    greet();
    answered(400, '{"code":1,"message":"unknown session","reason":"unknown_session"}');
    FakeManager.newest.play("close", "transport error");
    expect(phases.at(-1)).toBe("connecting");
  });
});
