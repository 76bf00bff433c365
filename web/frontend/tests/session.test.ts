import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Session, type SessionEvents } from "../src/net/session";

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

  constructor(private readonly options: { auth: (give: (data: object) => void) => void }) {
    super();
  }

  connect(): void {
    this.attempts += 1;
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

class FakeManager extends Emitter {
  static newest: FakeManager;
  readonly engine = { on: () => undefined, close: () => undefined };
  readonly sockets = new Map<string, FakeSocket>();
  _readyState = "closed";
  private reconnects = true;

  constructor() {
    super();
    FakeManager.newest = this;
  }

  socket(namespace: string, options: { auth: (give: (data: object) => void) => void }): FakeSocket {
    const socket = this.sockets.get(namespace) ?? new FakeSocket(options);
    this.sockets.set(namespace, socket);
    return socket;
  }

  reconnection(value?: boolean): boolean {
    if (value !== undefined) this.reconnects = value;
    return this.reconnects;
  }
}

vi.mock("socket.io-client", () => ({ Manager: class { constructor() { return new FakeManager(); } } }));

let phases: string[];
let session: Session;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  phases = [];
  const ignore = (): void => undefined;
  const events: SessionEvents = {
    phase: (phase) => phases.at(-1) !== phase && phases.push(phase), hello: ignore, beat: ignore, symbols: ignore, feeds: ignore, config: ignore,
    quotes: ignore, removed: ignore, rate: ignore,
  };
  session = new Session("http://host", events);
});

afterEach(() => {
  session.close();
  vi.useRealTimers();
});

function board(): FakeSocket {
  return FakeManager.newest.sockets.get("/") as FakeSocket;
}

function greet(): void {
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
    expect(FakeManager.newest.reconnection()).toBe(false);
    board().connected = false;
    FakeManager.newest.play("close", "transport close");
    expect(phases.at(-1)).toBe("restarting");
    session.reconnect();
    vi.advanceTimersByTime(3999);
    expect(board().attempts).toBe(1);
    vi.advanceTimersByTime(1);
    expect(board().attempts).toBe(2);
    expect(FakeManager.newest.reconnection()).toBe(true);
    FakeManager.newest.play("error", new Error("refused"));
    expect(phases.at(-1)).toBe("connecting");
  });

  test.each([[-5], [Number.NaN], [1e12]])("an odd time (%s) does not keep the page away", (retry_after_ms) => {
    greet();
    board().play("shutdown", { retry_after_ms });
    board().connected = false;
    FakeManager.newest.play("close", "transport close");
    vi.advanceTimersByTime(60_000);
    expect(board().attempts).toBe(2);
  });
});
