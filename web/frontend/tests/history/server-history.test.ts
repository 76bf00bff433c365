import { describe, expect, test, vi } from "vitest";
import { readCandles, SparkHistory } from "../../src/history/server-history";

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
