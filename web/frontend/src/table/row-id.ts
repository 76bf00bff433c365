import type { Row } from "../model/store";

/**
 * What the grid knows a row by. It keeps its rows as properties of plain objects, where a symbol called `constructor` or `toString` would
 * be found before it was ever there: no property that objects have of themselves begins like this.
 */
export function rowId(row: Pick<Row, "symbol">): string {
  return `s:${row.symbol}`;
}
