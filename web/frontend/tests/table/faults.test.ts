import { beforeEach, describe, expect, test, vi } from "vitest";
import { Faults } from "../../src/table/faults";

describe("a table that fails", () => {
  /** Faults with a clock that is stepped. */
  class Stage {
    now_ms = 0;
    readonly rebuilt: number[] = [];
    readonly said: string[] = [];
    readonly faults: Faults = new Faults(
      { now: () => this.now_ms, setTimer: (callback, delay_ms) => this.timers.push({ due_ms: this.now_ms + delay_ms, callback }) },
      () => this.rebuilt.push(this.now_ms), () => this.said.push(this.faults.standing));
    private readonly timers: { due_ms: number; callback: () => void }[] = [];

    rest(ms: number): void {
      this.now_ms += ms;
      for (const timer of this.timers.splice(0)) {
        if (timer.due_ms <= this.now_ms) timer.callback();
        else this.timers.push(timer);
      }
    }
  }

  beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));

  test("is rebuilt at once, says so, and is whole again after it has stood for a while", () => {
    const made = new Stage();
    for (let cell = 0; cell < 300; cell += 1) made.faults.failed(new Error("odd"));
    made.rest(0);
    expect([made.rebuilt, made.said]).toEqual([[0], ["rebuilt"]]);
    made.rest(29_999);
    made.faults.look(true);
    made.rest(1);
    made.faults.look(true);
    expect(made.said).toEqual(["rebuilt", "whole"]);
  });

  test("again and again is broken, is rebuilt ever more rarely, and may still recover", () => {
    const made = new Stage();
    for (let second = 0; second < 300; second += 1) {
      made.faults.failed(new Error("odd"));
      made.rest(1000);
      made.faults.look(true);
    }
    expect(made.said).toEqual(["rebuilt", "broken"]);
    expect(made.rebuilt.slice(0, 6).map((at_ms) => Math.round(at_ms / 1000))).toEqual([1, 2, 4, 8, 16, 32]);
    expect(made.rebuilt.length).toBeLessThan(12);
    for (let second = 0; second < 120; second += 1) {
      made.rest(1000);
      made.faults.look(true);
    }
    expect(made.said).toEqual(["rebuilt", "broken", "whole"]);
  });

  test("is missed once it was missing at three looks in a row, or at one where something was thrown", () => {
    const made = new Stage();
    for (const isWhole of [false, false, true, false, false]) made.faults.look(isWhole);
    made.rest(0);
    expect(made.rebuilt).toEqual([]);
    made.faults.look(false);
    made.rest(0);
    expect(made.rebuilt).toHaveLength(1);
    made.rest(60_000);
    made.faults.look(false, true);
    made.rest(0);
    expect(made.rebuilt).toHaveLength(2);
  });
});
