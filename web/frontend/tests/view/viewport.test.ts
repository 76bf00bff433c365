import { describe, expect, test } from "vitest";
import { Viewport } from "../../src/view/viewport";

describe("the view", () => {
  test("is looked at once it rests, and told of once it differs", () => {
    const timers = new Map<number, () => void>();
    let next = 1;
    let inView = ["A", "B"];
    const told: (readonly string[])[] = [];
    const viewport = new Viewport(
      { setTimer: (callback) => (timers.set(next, callback), next++), clearTimer: (id) => void timers.delete(id) },
      () => inView, (symbols) => told.push(symbols),
    );
    const rest = (): void => {
      const due = [...timers.values()];
      timers.clear();
      for (const callback of due) callback();
    };
    viewport.moved();
    viewport.moved();
    expect(timers.size).toBe(1);
    rest();
    viewport.moved();
    rest();
    inView = ["B", "C"];
    viewport.moved();
    rest();
    expect(told).toEqual([["A", "B"], ["B", "C"]]);
  });
});
