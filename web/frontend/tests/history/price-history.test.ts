import { describe, expect, test, vi } from "vitest";
import { Bounded } from "../../src/history/bounded-map";
import { readCandles, SparkHistory } from "../../src/history/server-history";
import { Past } from "../../src/history/price-history";
import { SparkBook, sparkPath } from "../../src/history/sparklines";
import { quote } from "../quotes";

const MINUTE = 60_000;

function book(...symbols: string[]): SparkBook {
  const made = new SparkBook();
  made.watch(symbols);
  return made;
}

function prices(of: SparkBook, symbol: string): number[] {
  return of.points(symbol).map((point) => point.price);
}

describe("a bounded map", () => {
  test("lets the entry go that was not touched for longest", () => {
    const made: string[] = [];
    const bounded = new Bounded<string, string>(2, (key) => (made.push(key), key));
    for (const key of ["a", "b", "a", "c"]) bounded.touch(key);
    expect([bounded.get("a"), bounded.get("b"), bounded.get("c")]).toEqual(["a", undefined, "c"]);
    expect(made).toEqual(["a", "b", "c"]);
  });
});

describe("sparklines", () => {
  test("a line of an hour or more has a point a minute, the last price of each, and no more than 60", () => {
    const sparks = book("A");
    for (let second = 0; second < 100 * 60; second += 1) sparks.add("A", second, second * 1000);
    const points = sparks.points("A");
    expect(points).toHaveLength(60);
    expect([points[0], points.at(-1)]).toEqual([{ time_ms: 40 * MINUTE, price: 40 * 60 + 59 }, { time_ms: 99 * MINUTE, price: 5999 }]);
  });

  test("a young line is drawn in finer steps, and never in more than 60 points", () => {
    const sparks = book("A");
    for (let second = 0; second < 7200; second += 1) {
      sparks.add("A", second, second * 1000);
      expect(sparks.points("A").length).toBeLessThanOrEqual(60);
      if (second === 2) expect(prices(sparks, "A")).toEqual([0, 1, 2]);
      if (second === 69) expect(prices(sparks, "A")).toEqual([4, 9, 14, 19, 24, 29, 34, 39, 44, 49, 54, 59, 64, 69]);
    }
  });

  test("a symbol that was never in view has none", () => {
    const sparks = book("A");
    sparks.add("B", 1, 0);
    sparks.fill("B", [[0, 1]], MINUTE);
    expect(sparks.points("B")).toEqual([]);
  });

  test("history goes where we have nothing of our own, each price at the end of its minute", () => {
    const sparks = book("A");
    sparks.add("A", 7, 10 * MINUTE);
    sparks.fill("A", [[8 * MINUTE, 5], [9 * MINUTE, 6], [10 * MINUTE, 6.5]], 10 * MINUTE + 500);
    expect(sparks.points("A")).toEqual([
      { time_ms: 9 * MINUTE - 1, price: 5 }, { time_ms: 10 * MINUTE - 1, price: 6 }, { time_ms: 10 * MINUTE, price: 7 },
    ]);
  });

  test("a gap in the middle is filled, what is around it stays", () => {
    const sparks = book("A");
    for (const minute of [1, 2, 9]) sparks.add("A", minute, minute * MINUTE);
    sparks.fill("A", [[MINUTE, 100], [3 * MINUTE, 3], [8 * MINUTE, 8], [9 * MINUTE, 900]], 9 * MINUTE + 1000);
    expect(prices(sparks, "A")).toEqual([1, 2, 3, 8, 9]);
  });

  test("a minute that is not over holds back no live price", () => {
    const sparks = book("A");
    sparks.fill("A", [[10 * MINUTE, 6]], 10 * MINUTE + 2000);
    sparks.add("A", 7, 10 * MINUTE + 3000);
    expect(prices(sparks, "A")).toEqual([6, 7]);
  });

  test("a price from an earlier bucket changes nothing, and what is older than an hour is gone", () => {
    const sparks = book("A");
    sparks.add("A", 7, 10 * MINUTE);
    sparks.add("A", 1, 9 * MINUTE);
    expect(prices(sparks, "A")).toEqual([7]);
    sparks.add("A", 8, 75 * MINUTE);
    expect(prices(sparks, "A")).toEqual([8]);
  });

  test("draw from left to right by time, high is up, flat is in the middle, one price is a dot", () => {
    expect(sparkPath([{ time_ms: 1, price: 1 }, { time_ms: 2, price: 2 }, { time_ms: 5, price: 3 }], 3)).toBe("M0.0 19.0L25.0 10.0L100.0 1.0");
    expect(sparkPath([{ time_ms: 1, price: 4 }, { time_ms: 2, price: 4 }], 4)).toBe("M0.0 10.0L100.0 10.0");
    expect(sparkPath([{ time_ms: 1, price: 4 }], 4)).toBe("M100 10h0");
    expect(sparkPath([], 4)).toBe("");
    expect(sparkPath([{ time_ms: 1, price: 0 }, { time_ms: 2, price: -37.63 }, { time_ms: 3, price: -1 }], 0)).toBe("M0.0 1.0L50.0 19.0L100.0 1.0");
  });
});

describe("the history of sparklines", () => {
  test("is asked for once a symbol a connection, and names travel encoded", async () => {
    const asked: string[] = [];
    const history = new SparkHistory(async (path) => (asked.push(path), { sparklines: {} }), () => undefined);
    await history.need(["BTC/USD", "A+B"], 1, 0);
    await history.need(["BTC/USD", "C"], 1, 0);
    await history.need(["C"], 2, 0);
    expect(asked).toEqual(["api/sparkline?symbols=BTC%2FUSD,A%2BB", "api/sparkline?symbols=C", "api/sparkline?symbols=C"]);
  });

  test("comes in questions of a bounded length", async () => {
    const sizes: number[] = [];
    const history = new SparkHistory(async (path) => (sizes.push(path.split(",").length), { sparklines: {} }), () => undefined);
    await history.need(Array.from({ length: 120 }, (_, at) => `S${at}`), 1, 0);
    expect(sizes).toEqual([50, 50, 20]);
  });

  test("is asked for again after a failure, but not at once", async () => {
    const read = vi.fn().mockRejectedValueOnce(new Error("down")).mockResolvedValue({ sparklines: { A: [[0, 5]] } });
    const taken: unknown[] = [];
    const history = new SparkHistory(read, (sparklines) => taken.push(sparklines));
    await history.need(["A"], 1, 0);
    await history.need(["A"], 1, 4999);
    expect(read).toHaveBeenCalledTimes(1);
    await history.need(["A"], 1, 5000);
    expect(taken).toEqual([new Map([["A", [[0, 5]]]])]);
  });
});

describe("candles from the server", () => {
  test("are taken as they are, in seconds; none where it can't say", async () => {
    const bar = { time_ms: 120_000, open: 1, high: 3, low: 1, close: 2, volume: 9 };
    expect(await readCandles(async () => ({ candles: [bar] }), "A")).toEqual([{ time_s: 120, open: 1, high: 3, low: 1, close: 2, volume: 9 }]);
    const { volume: _, ...unknown } = bar;
    expect((await readCandles(async () => ({ candles: [unknown] }), "A"))[0]?.volume).toBeUndefined();
    expect(await readCandles(() => Promise.reject(new Error("404")), "A")).toEqual([]);
  });
});

test("what was in view has a past in seconds and a line, what was not has neither", async () => {
  let filled = 0;
  const past = new Past(async () => ({ sparklines: { A: [[0, 4]] } }), () => 2 * MINUTE, () => (filled += 1));
  past.watch(["A"], 1, 0);
  await vi.waitFor(() => expect(filled).toBe(1));
  past.add(quote("A", 1, 5, { received_time: 2 * MINUTE }), "session", 1);
  past.add(quote("B", 1, 5, { received_time: 2 * MINUTE }), "session", 1);
  expect(past.sparks.points("A").map((point) => point.price)).toEqual([4, 5]);
  expect([past.seconds.candles("A").length, past.seconds.candles("B").length]).toEqual([1, 0]);
  past.delete("A");
  expect([past.sparks.points("A"), past.seconds.candles("A")]).toEqual([[], []]);
});
