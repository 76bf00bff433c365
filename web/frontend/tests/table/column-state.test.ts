import type { ColDef } from "ag-grid-community";
import { describe, expect, test } from "vitest";
import type { Row } from "../../src/model/store";
import { alike, arranged, firstStates, guarded, keepable, sortOf } from "../../src/table/column-state";

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
