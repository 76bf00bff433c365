import type { ColDef, ColumnState } from "ag-grid-community";
import type { Row } from "../model/store";
import type { Sort } from "../view/view";

type GridColumn = ColDef<Row>;

/** The columns as the reader left them: from its first frame on the grid has them so. What is not in `states` stays where it is at first. */
export function arranged(columns: readonly GridColumn[], states: readonly ColumnState[] | undefined, sort: readonly Sort[]): GridColumn[] {
  return placed(columns, states ?? []).map((column) => {
    const state = states?.find(({ colId }) => colId === column.colId);
    const at = sort.findIndex((each) => each.column === column.colId);
    return {
      ...column, ...(state && initial(state)), ...(at >= 0 && { initialSort: sort[at]?.descending ? "desc" as const : "asc" as const, initialSortIndex: at }),
    };
  });
}

/** Those with a state in its order, each of the others behind the one that it first stood behind. */
function placed(columns: readonly GridColumn[], states: readonly ColumnState[]): GridColumn[] {
  const order = states.flatMap(({ colId }) => columns.find((column) => column.colId === colId) ?? []);
  columns.forEach((column, index) => {
    if (order.includes(column)) return;
    const before = columns[index - 1];
    order.splice(before ? order.indexOf(before) + 1 : 0, 0, column);
  });
  return order;
}

function initial(state: ColumnState): Partial<GridColumn> {
  return {
    ...(state.hide === undefined || state.hide === null ? {} : { initialHide: state.hide }),
    ...(typeof state.width === "number" && { initialWidth: state.width }),
    ...(state.pinned === undefined ? {} : { initialPinned: state.pinned ?? false }),
    ...(state.width === undefined && state.flex === undefined ? {} : { initialFlex: state.flex ?? 0 }),
  };
}

/** The columns as they are at first, as states; the order of the rows is no part of it. */
export function firstStates(columns: readonly GridColumn[]): ColumnState[] {
  return columns.map((column) => {
    const flex = column.flex ?? column.initialFlex ?? null;
    return {
      colId: column.colId ?? "", hide: column.initialHide ?? false, pinned: column.initialPinned ?? null, flex,
      ...(column.initialWidth === undefined ? {} : { width: column.initialWidth }),
    };
  });
}

/** Of the grid's states what a reader may keep. The order of the rows is kept with the view. */
export function keepable(states: readonly ColumnState[]): ColumnState[] {
  return states.map(({ colId, hide, width, flex, pinned }) => ({ colId, hide, width, flex, pinned }) as ColumnState);
}

/** Whether a reader would see no difference. A column that takes what is left is as wide as its window lets it. */
export function alike(one: readonly ColumnState[], other: readonly ColumnState[]): boolean {
  const facts = (states: readonly ColumnState[]): string =>
    JSON.stringify(states.map(({ colId, hide, width, flex, pinned }) => [colId, Boolean(hide), flex ? 0 : width ?? 0, flex ?? 0, pinned || ""]));
  return facts(one) === facts(other);
}

/** By which columns the rows are sorted. */
export function sortOf(states: readonly ColumnState[]): Sort[] {
  return states.filter((state) => state.sort)
    .sort((left, right) => (left.sortIndex ?? 0) - (right.sortIndex ?? 0))
    .map((state) => ({ column: state.colId, descending: state.sort === "desc" }));
}

/** What fails in a column's value or order is told to `failed`, and the grid goes on. */
export function guarded(columns: readonly GridColumn[], failed: (error: unknown) => void): GridColumn[] {
  return columns.map((column) => {
    const { valueGetter, comparator } = column;
    return {
      ...column,
      ...(typeof valueGetter === "function" && { valueGetter: attempt(valueGetter, undefined, failed) }),
      ...(typeof comparator === "function" && { comparator: attempt(comparator, 0, failed) }),
    };
  });
}

/** `act`, with `otherwise` as its answer where it throws. */
export function attempt<A extends unknown[], R>(act: (...args: A) => R, otherwise: R, failed: (error: unknown) => void): (...args: A) => R {
  return (...args) => {
    try {
      return act(...args);
    } catch (error) {
      failed(error);
      return otherwise;
    }
  };
}
