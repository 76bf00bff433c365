import { Texts } from "../i18n/texts";
import { toCsv } from "../model/csv";
import type { Row } from "../model/store";
import { shortWords } from "../model/truth";
import type { TableContext } from "./context";
import type { Table } from "./grid";

/** A state is a word for programs: always in English. */
const WORDS = new Texts("en");

/**
 * The table as shown (rows, order, columns) to the clipboard as CSV; how many rows, or undefined where the browser refused. The state goes
 * along whether it is shown or not: a number alone does not say what it is worth.
 */
export async function copyTable(table: Table, context: TableContext): Promise<number | undefined> {
  const columns = table.columnState().filter((column) => !column.hide && column.colId !== "spark").map((column) => column.colId);
  if (!columns.includes("state")) columns.push("state");
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
  const truth = context.truth(row);
  if (column === "state") return shortWords(truth, WORDS);
  if (column === "age") return truth.age_ms === undefined ? undefined : Math.round(truth.age_ms / 1000);
  const found = row.quote?.[column as keyof typeof row.quote];
  return typeof found === "boolean" ? undefined : found;
}
