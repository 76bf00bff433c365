import { describe, expect, test } from "vitest";
import { connectionOf, type ConnectionInputs } from "../../src/model/freshness";
import { Store, type Row } from "../../src/model/store";
import type { FeedInfo, Quote } from "../../src/model/wire";
import { info, quote } from "../quotes";

function row(rest: Partial<Quote> = {}): Row {
  const store = new Store();
  store.begin("e");
  store.applySymbols([info("A")]);
  store.applyQuotes([quote("A", 1, 10, rest)], 0);
  return store.rows.get("A") as Row;
}

describe("the connection's word", () => {
  const feeds = new Map<string, FeedInfo>();
  const good: ConnectionInputs = { browserOnline: true, phase: "synced", silence_ms: 100, heartbeat_s: 5, inView: [row()], feeds };

  test("live while the server speaks", () => {
    expect(connectionOf(good)).toBe("live");
    expect(connectionOf({ ...good, silence_ms: 10_000 })).toBe("live");
  });

  test("recovering after two heartbeats of silence, though the socket is open", () => {
    expect(connectionOf({ ...good, silence_ms: 10_001 })).toBe("recovering");
  });

  test.each(["connecting", "syncing"] as const)("recovering while %s", (phase) => {
    expect(connectionOf({ ...good, phase })).toBe("recovering");
  });

  test("offline when the browser is, whatever else holds", () => {
    expect(connectionOf({ ...good, browserOnline: false })).toBe("offline");
  });

  test.each([{ state: "stale" }, { state: "failed" }, { delay_min: 15 }] as const)("delayed when all in view are %j", (rest) => {
    expect(connectionOf({ ...good, inView: [row(rest), row(rest)] })).toBe("delayed");
    expect(connectionOf({ ...good, inView: [row(rest), row()] })).toBe("live");
  });

  test("delayed when the feed of all in view is down", () => {
    const down = new Map([["sim", { feed: "sim", kind: "simulated", state: "down" } as FeedInfo]]);
    expect(connectionOf({ ...good, feeds: down })).toBe("delayed");
  });

  test("a closed market is not late, nor is one that is halted", () => {
    expect(connectionOf({ ...good, inView: [row({ state: "closed" })] })).toBe("live");
    expect(connectionOf({ ...good, inView: [row({ state: "closed", halted: true, delay_min: 15 })] })).toBe("live");
    expect(connectionOf({ ...good, inView: [] })).toBe("live");
  });
});
