import type { ColumnState, GridApi } from "ag-grid-community";
import type { Row } from "../model/store";
import { measuresOf } from "./columns";
import type { TableContext } from "./context";

type Use = <T>(act: (api: GridApi<Row>) => T, otherwise: T) => T;

/** Has the grid's columns as wide as `Widths` wants them, and tells it of what it can't see: other rows, titles, letters of another size. */
export class ColumnFit {
  /** Other rows came: what they hold may be shorter. */
  private renewed = false;
  private fraction = 0;
  private pixels = devicePixelRatio;

  /** `use` does something with the grid that stands in `element`. */
  constructor(private readonly element: HTMLElement, private readonly context: TableContext, private readonly use: Use) {}

  /** The columns' fonts, titles and first widths: where the layout, the language or the size of letters is another. */
  begin(): void {
    const { layout, texts, widths } = this.context;
    widths.begin(this.element, layout, measuresOf(texts, layout), {
      shown: () => this.use((api) => new Map(api.getAllDisplayedColumns().map((column) => [column.getColId(), column.getActualWidth()])), new Map()),
      available_px: () => this.element.clientWidth,
      // As a state and not as widths: only so the column that takes the rest gives way to columns at its right.
      give: (wanted) => this.use((api) => {
        api.applyColumnState({ state: [...wanted].map(([colId, width]) => ({ colId, width })) });
      }, undefined),
    });
  }

  /** An arrow or a filter's button came beside a title, or went. */
  measureTitles(): void {
    this.use((api) => this.context.widths.titled(api.getColumnState().map(({ colId, sort }) => (
      { colId, sort, filtered: api.getColumn(colId)?.isFilterActive() ?? false }))), undefined);
  }

  /** The reader makes `column` so wide. */
  choose(column: string): void {
    this.context.widths.choose(column);
  }

  /** The widths are the reader's own, or the first ones again. */
  chosen(columns: readonly ColumnState[] | undefined): void {
    this.context.widths.chosen(columns);
    if (!columns) this.context.widths.forget();
  }

  /** Of `states` what the reader chose. */
  choices(states: readonly ColumnState[]): ColumnState[] {
    return this.context.widths.choices(states);
  }

  /** There are rows, where there were none: cells that are made now say by themselves what they need. */
  fresh(): void {
    this.fraction = this.context.fraction;
  }

  /** The rows are others. */
  renew(): void {
    this.renewed = true;
  }

  /** The grid is as wide as it was not, or has other columns: letters may have another size too, or the screen is shared out anew. */
  resized(): void {
    if (this.pixels !== devicePixelRatio) {
      this.pixels = devicePixelRatio;
      this.begin();
      this.measureTitles();
    }
    if (this.context.layout === "kiosk") this.context.widths.changed();
  }

  /** Whether every cell has to say anew what it needs. */
  isOutdated(): boolean {
    if (this.renewed) this.context.widths.forget();
    const outdated = this.renewed || this.fraction !== this.context.fraction;
    this.fraction = this.context.fraction;
    this.renewed = false;
    return outdated;
  }
}
