import { describe, expect, test } from "vitest";
import { Sparklines, sparkPath } from "../../src/history/sparklines";

const MINUTE = 60_000;

function book(...symbols: string[]): Sparklines {
  const made = new Sparklines();
  made.watch(symbols);
  return made;
}

function prices(of: Sparklines, symbol: string): number[] {
  return of.points(symbol).map((point) => point.price);
}

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
