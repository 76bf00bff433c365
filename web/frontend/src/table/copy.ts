import { toCsv } from "../csv";
import { ageOf } from "../freshness";
import type { Row } from "../store";
import type { TableContext } from "./context";
import type { Table } from "./grid";

/** The table as shown (rows, order, columns) to the clipboard as CSV; how many rows, or undefined where the browser refused. */
export async function copyTable(table: Table, context: TableContext): Promise<number | undefined> {
  const columns = table.columnState().filter((column) => !column.hide && column.colId !== "spark").map((column) => column.colId);
  const rows = table.shownRows();
  const csv = toCsv(columns, rows.map((row) => columns.map((column) => value(row, column, context))));
  try {
    await navigator.clipboard.writeText(csv);
    return rows.length;
  } catch {
    return undefined;
  }
}

/** Numbers as they came, not as shown; an age in whole seconds. */
function value(row: Row, column: string, context: TableContext): string | number | undefined {
  if (column === "symbol") return row.symbol;
  if (column === "name") return row.info.name ?? "";
  if (column === "state") return context.state(row);
  if (column === "age") return row.quote && Math.round(ageOf(row.quote, context.serverNow()) / 1000);
  const found = row.quote?.[column as keyof typeof row.quote];
  return typeof found === "boolean" ? undefined : found;
}
