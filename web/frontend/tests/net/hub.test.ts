import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FromHub, Interest } from "../../src/model/messages";
import type { Quote } from "../../src/model/wire";
import { Hub } from "../../src/net/hub";
import { info, quote } from "../quotes";

/** The far side of the hub: what it asks for, kept for the test to look at. */
class RecordedSession {
  messages = 0;
  bytes = 0;
  wanted: string[] = [];
  board_hz = 0;
  symbol_hz: number | null = null;
  closed = false;
  want = (symbols: ReadonlySet<string>): void => void (this.wanted = [...symbols]);
  setBoardRate = (hz: number): void => void (this.board_hz = hz);
  setSymbolRate = (hz: number | null): void => void (this.symbol_hz = hz);
  token = "";
  setToken = (token: string): void => void (this.token = token);
  roundTrip = (): void => undefined;
  reconnects = 0;
  reconnect = (): void => void (this.reconnects += 1);
  close = (): void => void (this.closed = true);
}

class Tab {
  received: FromHub[] = [];
  /** A frozen tab does not read what it is handed. */
  frozen = false;
  postMessage = (message: FromHub): void => {
    this.received.push(message);
    if (!this.frozen) hub.receive(this, { type: "taken" });
  };

  thaw(): void {
    this.frozen = false;
    const unread = this.received.length;
    for (let each = 0; each < unread; each += 1) hub.receive(this, { type: "taken" });
  }

  types(): string[] {
    return this.received.map((message) => message.type);
  }

  /** Quotes handed over since the last call, in messages as they came. */
  quotes(): Quote[][] {
    const batches = this.received.flatMap((message) => (message.type === "quotes" ? [[...message.quotes]] : []));
    this.received = [];
    return batches;
  }
}

function interest(rest: Partial<Interest> = {}): Interest {
  return { type: "interest", visible: true, online: true, symbols: [], board_hz: 1, symbol_hz: null, token: "", ...rest };
}

const HELLO = { epoch: "e1", version: "1", server_time: 1000, flush_ms: 50, heartbeat_s: 5 };

let hub: Hub;
let sessions: RecordedSession[];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  sessions = [];
  hub = new Hub(() => {
    const session = new RecordedSession();
    sessions.push(session);
    return session;
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function newest(): RecordedSession {
  return sessions.at(-1) as RecordedSession;
}

describe("what is asked of the server", () => {
  test("a tab's token is the session's, and every other tab's, those that come later included", () => {
    const [first, second, third] = [new Tab(), new Tab(), new Tab()];
    hub.receive(first, interest());
    hub.receive(second, interest());
    hub.receive(first, interest({ token: "secret" }));
    expect(newest().token).toBe("secret");
    hub.receive(third, interest());
    for (const tab of [second, third]) expect(tab.received).toContainEqual({ type: "token", token: "secret" });
  });

  test("a token that was refused is handed on no more", () => {
    hub.receive(new Tab(), interest({ token: "wrong" }));
    hub.phase("refused");
    const late = new Tab();
    hub.receive(late, interest());
    expect(late.types()).not.toContain("token");
    expect(late.received.at(-1)).toMatchObject({ type: "phase", phase: "refused" });
  });

  test("one session for all tabs: everything that is looked at, at the highest pace", () => {
    hub.receive(new Tab(), interest({ symbols: ["A", "B"], symbol_hz: 2 }));
    hub.receive(new Tab(), interest({ symbols: ["B", "C"], symbol_hz: 5 }));
    expect(sessions).toHaveLength(1);
    expect(newest().wanted).toEqual(["A", "B", "C"]);
    expect(newest().symbol_hz).toBe(5);
  });

  test("a tab without a limit lifts it for all", () => {
    hub.receive(new Tab(), interest({ symbol_hz: 2 }));
    hub.receive(new Tab(), interest({ symbol_hz: null }));
    expect(newest().symbol_hz).toBeNull();
  });

  test("a hidden tab joins nothing and slows the board down only where no tab is visible", () => {
    const [first, second] = [new Tab(), new Tab()];
    hub.receive(first, interest({ symbols: ["A"] }));
    hub.receive(second, interest({ visible: false, symbols: ["B"], board_hz: 0.2 }));
    expect([newest().wanted, newest().board_hz]).toEqual([["A"], 1]);
    hub.receive(first, interest({ visible: false, symbols: ["A"], board_hz: 0.2 }));
    expect([newest().wanted, newest().board_hz]).toEqual([[], 0.2]);
  });

  test("a tab that is looked at again does not sit out the back-off", () => {
    const tab = new Tab();
    hub.receive(tab, interest({ visible: false }));
    hub.phase("synced");
    hub.receive(tab, interest());
    expect(newest().reconnects).toBe(0);
    hub.receive(tab, interest({ visible: false }));
    hub.phase("connecting");
    hub.receive(tab, interest());
    expect(newest().reconnects).toBe(1);
  });

  test("with the last tab the session ends", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.receive(tab, { type: "bye" });
    expect(newest().closed).toBe(true);
  });

  test("a browser that is offline has no session; back online, a new one", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.receive(tab, interest({ online: false }));
    expect(newest().closed).toBe(true);
    hub.receive(tab, interest());
    expect(sessions).toHaveLength(2);
  });

  test("a tab that fell silent (frozen) is let go, and taken back with everything when it speaks", () => {
    const tab = new Tab();
    hub.receive(tab, interest({ symbols: ["A"] }));
    hub.hello(HELLO);
    hub.symbols([info("A")]);
    tab.frozen = true;
    vi.advanceTimersByTime(160_000);
    expect(newest().closed).toBe(true);
    tab.received = [];
    hub.receive(tab, interest({ symbols: ["A"] }));
    expect(sessions).toHaveLength(2);
    expect(tab.types()).toContain("symbols");
  });
});

describe("what is handed to the tabs", () => {
  test("a burst is one message with the newest quote of each symbol", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.quotes([quote("A", 1, 10)]);
    hub.quotes([quote("A", 3, 12), quote("B", 1, 5)]);
    hub.quotes([quote("A", 2, 11)]);
    expect(tab.quotes()).toEqual([]);
    vi.advanceTimersByTime(5);
    expect(tab.quotes()).toEqual([[quote("A", 3, 12), quote("B", 1, 5)]]);
  });

  test("a hidden tab gets the newest of each, every five seconds", () => {
    const tab = new Tab();
    hub.receive(tab, interest({ visible: false, board_hz: 0.2 }));
    hub.quotes([quote("A", 1, 10)]);
    vi.advanceTimersByTime(10);
    tab.quotes();
    for (let seq = 2; seq <= 41; seq += 1) {
      hub.quotes([quote("A", seq, seq)]);
      vi.advanceTimersByTime(100);
    }
    expect(tab.quotes()).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(tab.quotes()).toEqual([[quote("A", 41, 41)]]);
  });

  test("a tab that comes back to view gets what it missed at once", () => {
    const tab = new Tab();
    hub.receive(tab, interest({ visible: false, board_hz: 0.2 }));
    hub.quotes([quote("A", 1, 10)]);
    vi.advanceTimersByTime(10);
    hub.quotes([quote("A", 2, 11)]);
    tab.quotes();
    hub.receive(tab, interest());
    expect(tab.quotes()).toEqual([[quote("A", 2, 11)]]);
  });

  test("a tab that comes late gets the state and a snapshot before the word that all is in step", () => {
    hub.receive(new Tab(), interest());
    hub.hello(HELLO);
    hub.symbols([info("A")]);
    hub.feeds([]);
    hub.quotes([quote("A", 4, 10)]);
    hub.phase("synced");
    const late = new Tab();
    hub.receive(late, interest());
    expect(late.types()).toEqual(["hello", "symbols", "feeds", "quotes", "phase"]);
  });

  test("the prices come before the claim that they are there", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.hello(HELLO);
    hub.quotes([quote("A", 4, 10)]);
    hub.phase("synced");
    expect(tab.types().slice(-2)).toEqual(["quotes", "phase"]);
  });

  test("a late tab learns when the server last spoke, not when it was told", () => {
    hub.receive(new Tab(), interest());
    hub.hello(HELLO);
    vi.advanceTimersByTime(3000);
    hub.beat(4000);
    vi.advanceTimersByTime(7000);
    const late = new Tab();
    hub.receive(late, interest());
    expect(late.received).toContainEqual({ type: "beat", server_time: 4000, arrived_ms: 1_003_000 });
  });

  test("quotes of an earlier epoch are not handed to anyone after the new hello", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.hello(HELLO);
    hub.quotes([quote("A", 900, 10)]);
    hub.hello({ ...HELLO, epoch: "e2" });
    hub.quotes([quote("A", 1, 11)]);
    vi.advanceTimersByTime(5);
    expect(tab.quotes()).toEqual([[quote("A", 1, 11)]]);
  });

  test("a large snapshot comes in portions, all of it", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.quotes(Array.from({ length: 1000 }, (_, at) => quote(`S${at}`, 1, at)));
    vi.advanceTimersByTime(100);
    expect(tab.quotes().map((batch) => batch.length)).toEqual([400, 400, 200]);
  });

  test("a symbol that was removed is not in later snapshots", () => {
    hub.receive(new Tab(), interest());
    hub.quotes([quote("A", 1, 10), quote("B", 1, 10)]);
    hub.symbols([info("B")]);
    const late = new Tab();
    hub.receive(late, interest());
    expect(late.quotes()).toEqual([[quote("B", 1, 10)]]);
  });
});

describe("a tab that does not keep up", () => {
  test("has two messages to read at most, and then everything at its newest, in order", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.hello(HELLO);
    tab.received = [];
    tab.frozen = true;
    for (let seq = 1; seq <= 500; seq += 1) {
      hub.quotes([quote("A", seq, seq), quote("B", seq, seq)]);
      if (seq % 100 === 0) hub.beat(seq);
      vi.advanceTimersByTime(100);
    }
    expect(tab.received).toHaveLength(2);
    tab.received.splice(1);
    tab.thaw();
    hub.receive(tab, { type: "taken" });
    const [, ...after] = tab.received;
    expect(after.map((message) => message.type)).toEqual(["beat", "stats", "quotes"]);
    expect(after[2]).toMatchObject({ quotes: [quote("A", 500, 500), quote("B", 500, 500)] });
  });

  test("is not told of a connection that came and went while it was frozen", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    hub.phase("synced");
    tab.frozen = true;
    hub.beat(1);
    hub.beat(2); // its two messages
    for (const epoch of ["e2", "e3"]) {
      hub.phase("connecting");
      hub.hello({ ...HELLO, epoch });
      hub.symbols([info("A")]);
      hub.quotes([quote("A", 1, 10)]);
      hub.phase("synced");
    }
    tab.received = tab.received.slice(-2);
    tab.thaw();
    const after = tab.received.slice(2);
    expect(after.map((message) => message.type)).toEqual(["hello", "symbols", "quotes", "phase"]);
    expect(after[0]).toMatchObject({ hello: { epoch: "e3" } });
  });

  test("hears at once that the connection is lost, before anything else that waits", () => {
    const tab = new Tab();
    hub.receive(tab, interest());
    tab.frozen = true;
    hub.beat(1);
    hub.beat(2);
    hub.symbols([info("A")]);
    hub.phase("connecting");
    tab.received = tab.received.slice(-2);
    tab.thaw();
    expect(tab.received.slice(2).map((message) => message.type)).toEqual(["phase", "symbols"]);
  });

  test("hears first of what it looks at, however much else waits", () => {
    const tab = new Tab();
    hub.receive(tab, interest({ symbols: ["A"] }));
    tab.frozen = true;
    hub.quotes(Array.from({ length: 2000 }, (_, at) => quote(`S${at}`, 1, at)));
    vi.advanceTimersByTime(5);
    hub.quotes([quote("A", 1, 10)]);
    tab.received = [];
    hub.receive(tab, { type: "taken" });
    expect(tab.quotes()).toEqual([[quote("A", 1, 10)]]);
  });

  test("that asked for a slower pace than another tab gets its own", () => {
    const [slow, fast] = [new Tab(), new Tab()];
    hub.receive(slow, interest({ symbol_hz: 1 }));
    hub.receive(fast, interest({ symbol_hz: 20 }));
    for (let seq = 1; seq <= 20; seq += 1) {
      hub.quotes([quote("A", seq, seq)]);
      vi.advanceTimersByTime(100);
    }
    expect(slow.quotes().length).toBeLessThanOrEqual(3);
    expect(fast.quotes().length).toBeGreaterThanOrEqual(18);
  });
});

test("a beat never overtakes prices in view that came before it: it would vouch for the older ones they replace", () => {
  const tab = new Tab();
  hub.receive(tab, interest({ symbols: ["A"] }));
  hub.hello(HELLO);
  hub.symbols([info("A")]);
  tab.received = [];
  hub.quotes([quote("A", 1, 10)]);
  hub.beat(2000);
  expect(tab.types()).toEqual(["quotes", "beat"]);
});

test("a tab that wants prices rarely hears beats in between", () => {
  const tab = new Tab();
  hub.receive(tab, interest({ symbols: ["A"], symbol_hz: 0.1 }));
  hub.hello(HELLO);
  hub.quotes([quote("A", 1, 10)]);
  vi.advanceTimersByTime(10_000);
  tab.received = [];
  hub.quotes([quote("A", 2, 11)]);
  hub.beat(2000);
  expect(tab.types()).toEqual(["beat"]);
});
