import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Live } from "../../src/model/live";
import type { Quote } from "../../src/model/wire";
import { info, quote } from "../quotes";

const HELLO = { epoch: "e1", version: "1", server_time: 0, flush_ms: 50, heartbeat_s: 5 };

let live: Live;
let told: (readonly Quote[])[];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.stubGlobal("navigator", { onLine: true });
  told = [];
  live = new Live({ dirty: () => undefined, symbols: () => undefined, quotes: (quotes) => told.push(quotes) });
  greet();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function greet(epoch = "e1"): void {
  live.receive({ type: "hello", hello: { ...HELLO, epoch, server_time: Date.now() }, arrived_ms: Date.now() });
  live.receive({ type: "symbols", symbols: [info("A")] });
  live.receive({ type: "quotes", quotes: [quote("A", 1, 10, { received_time: Date.now() })], arrived_ms: Date.now() });
  live.receive({ type: "phase", phase: "synced", obstacle: undefined });
}

function look(): string {
  live.look([...live.store.rows.values()]);
  return live.connection;
}

test("live for two heartbeats after the newest word, and no longer", () => {
  vi.setSystemTime(1_010_000);
  expect(look()).toBe("live");
  vi.setSystemTime(1_010_001);
  expect(look()).toBe("recovering");
});

test("what lay in a buffer for ten minutes is no sign of life, a new word is", () => {
  vi.setSystemTime(1_600_000); // a lid was closed, and opened
  for (let beat = 1; beat < 100; beat += 1) {
    live.receive({ type: "beat", server_time: 1_000_000 + beat * 5000, arrived_ms: 1_600_000 });
    live.receive({ type: "quotes", quotes: [quote("A", 1 + beat, 10, { received_time: 1_000_000 + beat * 5000 })], arrived_ms: 1_600_000 });
    if (beat < 98) expect(look()).toBe("recovering");
  }
  live.receive({ type: "beat", server_time: 1_600_000, arrived_ms: 1_600_000 });
  expect(look()).toBe("live");
});

test("a quote that repeats an old price does not make the silence shorter", () => {
  vi.setSystemTime(1_009_000);
  live.receive({ type: "quotes", quotes: [quote("A", 2, 10, { received_time: 1_000_000, state: "stale" })], arrived_ms: 1_009_000 });
  expect(live.silence_ms()).toBe(9000);
});

test("another server's clock is believed from its first word on", () => {
  live.receive({ type: "hello", hello: { ...HELLO, epoch: "e2", server_time: 400_000 }, arrived_ms: 1_000_000 });
  expect(live.serverNow()).toBe(400_000);
  live.receive({ type: "phase", phase: "synced", obstacle: undefined });
  expect(look()).toBe("live");
});

test("a clock here that is set back does not keep the page live for as long", () => {
  vi.setSystemTime(400_000);
  expect(look()).toBe("live");
  vi.setSystemTime(410_001);
  expect(look()).toBe("recovering");
});

test("only what is new is told of", () => {
  live.receive({ type: "quotes", quotes: [quote("A", 1, 10), quote("A", 2, 11)], arrived_ms: 1_000_000 });
  expect(told.at(-1)?.map((each) => each.seq)).toEqual([2]);
});
