import type { GridApi } from "ag-grid-community";
import type { Row } from "../model/store";
import type { CellRegistry } from "./cells";
import { rowId } from "./row-id";

/** Rows between the upper and the lower edge of the view, and the index of the first. */
export function inView(api: GridApi<Row>): { first: number; rows: Row[] } {
  const { top, bottom } = api.getVerticalPixelRange();
  const height = api.getSizesForCurrentTheme().rowHeight;
  const first = Math.floor(top / height);
  const rows: Row[] = [];
  for (let index = first; index * height < bottom; index += 1) {
    const row = api.getDisplayedRowAtIndex(index)?.data;
    if (row) rows.push(row);
  }
  return { first, rows };
}

/** Whether the grid knows all of `rows`, and those in view stand in `root`, each at its place, with all its cells, and no others. */
export function isWhole(
  api: GridApi<Row>, root: HTMLElement, rows: readonly Row[], cells: CellRegistry, passes: (row: Row) => boolean,
): boolean {
  const shown = new Map([...root.querySelectorAll(".ag-row")].map((row) => [row.getAttribute("row-index"), row.getAttribute("row-id")]));
  const columns = api.getAllDisplayedColumns().length;
  let count = 0;
  api.forEachNode(() => count += 1);
  const { first, rows: expected } = inView(api);
  return count === rows.length && expected.every((row, index) =>
    shown.get(String(first + index)) === rowId(row) && cells.count(row) === columns && passes(row));
}
