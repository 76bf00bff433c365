import type { ColDef } from "ag-grid-community";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Row } from "../../src/model/store";
import { alike, arranged, firstStates, guarded, keepable, sortOf } from "../../src/table/column-state";
import { Faults } from "../../src/table/faults";
import { Hold } from "../../src/table/order-hold";

describe("columns", () => {
  const columns: ColDef<Row>[] = [
    { colId: "symbol", initialWidth: 100, initialPinned: "left" }, { colId: "name", initialWidth: 120, initialFlex: 1 },
    { colId: "price", initialWidth: 140 }, { colId: "bid", initialWidth: 80, initialHide: true },
  ];

  test("stand as the reader left them from the first frame on; those the reader never saw keep their place", () => {
    const made = arranged(columns, [{ colId: "price", width: 200, flex: null }, { colId: "gone" }, { colId: "symbol", hide: true, pinned: null }], [
      { column: "price", descending: true }]);
    expect(made.map((column) => column.colId)).toEqual(["price", "bid", "symbol", "name"]);
    expect(made[0]).toMatchObject({ initialWidth: 200, initialFlex: 0, initialSort: "desc", initialSortIndex: 0 });
    expect(made[2]).toMatchObject({ initialHide: true, initialPinned: false });
    expect(made[3]).toEqual(columns[1]);
  });

  test("that nobody touched are as they are at first, however wide the window", () => {
    const first = firstStates(columns);
    expect(alike(first, first.map((state) => (state.flex ? { ...state, width: 555 } : state)))).toBe(true);
    expect(alike(first, first.map((state) => ({ ...state, width: 555 })))).toBe(false);
    expect(alike(first, [...first].reverse())).toBe(false);
  });

  test("keep no order of rows: that is the view's", () => {
    const states = [{ colId: "a", sort: "asc" as const, sortIndex: 1 }, { colId: "b" }, { colId: "c", sort: "desc" as const, sortIndex: 0 }];
    expect(sortOf(states)).toEqual([{ column: "c", descending: true }, { column: "a", descending: false }]);
    expect(JSON.stringify(keepable(states))).not.toContain("sort");
  });

  test("that throw are told of, and the grid goes on", () => {
    const told: unknown[] = [];
    const fail = (): never => {
      throw new Error("odd");
    };
    const [column] = guarded([{ colId: "a", valueGetter: fail, comparator: fail }], (error) => told.push(error));
    expect((column?.valueGetter as () => unknown)()).toBeUndefined();
    expect((column?.comparator as () => unknown)()).toBe(0);
    expect(told).toHaveLength(2);
  });
});

describe("the order", () => {
  function stage(): { hand: { over: boolean; focused: boolean; finger: boolean; now_ms: number }; hold: Hold } {
    const hand = { over: false, focused: false, finger: false, now_ms: 0 };
    return { hand, hold: new Hold({ isOver: () => hand.over, isFocused: () => hand.focused, isFinger: () => hand.finger, now: () => hand.now_ms }) };
  }

  test("is held while the pointer is over the rows, or one has the focus, however long", () => {
    const { hand, hold } = stage();
    hand.now_ms = 10_000;
    expect([hold.rests, hold.holds]).toEqual([false, false]);
    for (const why of ["over", "focused"] as const) {
      hand[why] = true;
      hand.now_ms += 1e7;
      expect([hold.rests, hold.holds]).toEqual([true, true]);
      hand[why] = false;
      expect(hold.holds).toBe(false);
    }
  });

  test("is held while a mouse is on its way", () => {
    const { hand, hold } = stage();
    hand.now_ms = 10_000;
    hold.moved();
    hand.now_ms += 399;
    expect([hold.rests, hold.holds]).toEqual([false, true]);
    hand.now_ms += 1;
    expect(hold.holds).toBe(false);
  });

  test("changes more rarely under fingers, which can't be seen coming", () => {
    const { hand, hold } = stage();
    hold.ordered();
    expect(hold.holds).toBe(false);
    hand.finger = true;
    hand.now_ms = 2999;
    expect([hold.rests, hold.holds]).toEqual([false, true]);
    hand.now_ms = 3000;
    expect(hold.holds).toBe(false);
  });

  test("is held from a touch until some time after it, and not by what a finger leaves behind", () => {
    const { hand, hold } = stage();
    hand.now_ms = 10_000;
    hold.touches(true);
    hand.now_ms += 1e6;
    expect(hold.rests).toBe(true);
    hold.touches(false);
    hand.now_ms += 4999;
    expect(hold.rests).toBe(true);
    hand.focused = true;
    hand.over = true;
    hand.now_ms += 1;
    expect(hold.rests).toBe(false);
    hold.typed();
    expect(hold.rests).toBe(true);
  });
});

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
