import type { ColumnState } from "ag-grid-community";
import type { Row } from "../model/store";
import type { Layout } from "../view/layout";
import type { Sort } from "../view/view";
import type { TableContext } from "./context";

/** What the table is made with, and whom it tells of what happens in it. */
export interface TableOptions {
  context: TableContext;
  layout: Layout;
  /** For the style elements that the grid adds. */
  styleNonce: string | undefined;
  columns: readonly ColumnState[] | undefined;
  sort: readonly Sort[];
  /** The order of the rows stands still at the moment. */
  holds(): boolean;
  /** The rows are put in order. */
  ordered(): void;
  passes(row: Row): boolean;
  /** Rows came, went, or changed place; or the reader scrolled. */
  moved(): void;
  scrolled(): void;
  /** The rows shown are others. */
  rowsChanged(): void;
  columnsChanged(columns: ColumnState[]): void;
  sorted(sort: Sort[]): void;
  /** Enter on a row. */
  opened(row: Row): void;
  /** Something in the table threw: it has to be rebuilt. */
  failed(error: unknown): void;
}
