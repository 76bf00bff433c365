import {
  ClientSideRowModelApiModule, ClientSideRowModelModule, ColumnApiModule, createGrid, ExternalFilterModule, LocaleModule,
  ModuleRegistry, NumberFilterModule, RenderApiModule, RowApiModule, ScrollApiModule, TextFilterModule,
  type ColumnState, type GridApi,
} from "ag-grid-community";
import type { TextKey } from "../i18n/en";
import type { Row } from "../store";
import { CellRegistry, quietly } from "./cells";
import { columnDefs, STILL_COLUMNS, type Layout } from "./columns";
import type { TableContext } from "./context";
import { rowId } from "./row-id";
import { gridTheme } from "./theme";

// Only what is used: the whole of AG Grid would double the first load.
ModuleRegistry.registerModules([
  ClientSideRowModelModule, ClientSideRowModelApiModule, ColumnApiModule, ExternalFilterModule, LocaleModule, NumberFilterModule,
  RenderApiModule, RowApiModule, ScrollApiModule, TextFilterModule,
]);

/** What changes while no news comes, or is read now and then: written once a second. */
const GROWING: readonly string[] = ["age", "volume"];
/** So many rows have their hour drawn anew each second, in turns. */
const SPARKS_A_SECOND = 10;

export interface TableOptions {
  context: TableContext;
  layout: Layout;
  /** For the style elements that the grid adds. */
  styleNonce: string | undefined;
  columns: ColumnState[] | undefined;
  passes(row: Row): boolean;
  /** Rows came, went, or changed place; or the reader scrolled. */
  moved(): void;
  scrolled(): void;
  columnsChanged(columns: ColumnState[]): void;
  /** Enter or a double click on a row. */
  opened(row: Row): void;
}

/** The live table. The grid keeps rows, order and columns; cells paint themselves. */
export class Table {
  readonly cells = new CellRegistry();
  private readonly api: GridApi<Row>;
  private readonly context: TableContext;
  private grown_ms = 0;
  private aged = 0;
  private sparked = 0;

  constructor(private readonly element: HTMLElement, options: TableOptions) {
    this.context = options.context;
    element.dataset.layout = options.layout;
    const keepColumns = (): void => options.columnsChanged(this.api.getColumnState());
    this.api = createGrid<Row>(element, {
      theme: gridTheme(options.layout),
      ...(options.styleNonce ? { styleNonce: options.styleNonce } : {}),
      context: options.context,
      columnDefs: columnDefs(options.context.texts, this.cells, options.layout),
      getRowId: ({ data }) => rowId(data),
      getLocaleText: ({ key, defaultValue }) => gridText(options.context, key, defaultValue),
      isExternalFilterPresent: () => true,
      doesExternalFilterPass: ({ data }) => data === undefined || options.passes(data),
      animateRows: false, // rows that slide about can't be read
      suppressRowTransform: true, // a row with a transform is a layer of its own: scrolling costs half without
      suppressColumnVirtualisation: true, // a dozen columns: to look at each scroll which of them are in view costs more than to have them all
      rowBuffer: 5, // rows beyond the view that are kept ready: half of the grid's ten make scrolling cheaper by a tenth
      suppressDragLeaveHidesColumns: true,
      suppressMovableColumns: options.layout === "narrow",
      rowData: [],
      suppressOverlays: ["noRows", "noMatchingRows"], // the page says itself why there are no rows
      loading: false,
      onBodyScroll: () => {
        options.moved();
        options.scrolled();
      },
      onModelUpdated: options.moved,
      onGridSizeChanged: ({ api }) => {
        options.moved();
        this.measure(api);
      },
      onDisplayedColumnsChanged: ({ api }) => this.measure(api),
      onColumnMoved: ({ finished }) => finished && keepColumns(),
      onColumnResized: ({ api, finished, source }) => {
        if (finished) this.measure(api);
        if (finished && source !== "api") keepColumns();
      },
      onColumnVisible: keepColumns,
      onColumnPinned: keepColumns,
      onSortChanged: keepColumns,
      onRowDoubleClicked: ({ data }) => data && options.opened(data),
      onCellKeyDown: ({ data, event }) => {
        if (data && event instanceof KeyboardEvent && event.key === "Enter") options.opened(data);
      },
    });
    if (options.columns) this.api.applyColumnState({ state: options.columns, applyOrder: true });
    this.api.setGridAriaProperty("label", options.context.texts.say("grid.label"));
  }

  /** The rows, in the order of the settings. Rows that stay keep their cells. */
  setRows(rows: readonly Row[]): void {
    this.api.setGridOption("rowData", [...rows]);
  }

  /** Columns came, went, or are as wide as they were not: what fits is judged anew. */
  private measure(api: GridApi<Row>): void {
    const { left, right } = api.getHorizontalPixelRange();
    const needed = api.getDisplayedCenterColumns().reduce((sum, column) => sum + column.getActualWidth(), 0);
    this.element.toggleAttribute("data-fits", needed <= right - left);
    this.repaint();
  }

  /** Paints what changed. `flash`: this is news, not a snapshot. */
  paint(rows: Iterable<Row>, now_ms: number, flash: boolean): void {
    const call = { context: this.context, now_ms, flash, news: true };
    for (const row of rows) this.cells.paint(row, call);
  }

  /** Repaints the cells in view; with `columns`, only those. Nothing flashes. */
  repaint(...columns: string[]): void {
    const call = quietly(this.context);
    for (const row of this.cells.rows()) this.cells.paint(row, call, columns);
  }

  /**
   * Ages have grown. Every row has its turn once a second, a few with each paint: all of a full screen at once is a long frame, and what
   * arrives meanwhile waits for it. `now_ms`: a clock that only goes forward.
   */
  grow(now_ms: number): void {
    const elapsed_s = Math.min(1, (now_ms - this.grown_ms) / 1000);
    const rows = [...this.cells.rows()];
    const due = Math.floor(rows.length * elapsed_s);
    if (due === 0) return;
    this.grown_ms = now_ms;
    const call = quietly(this.context);
    for (const row of this.turn(rows, this.aged, due)) this.cells.paint(row, call, GROWING);
    this.aged += due;
    const sparks = Math.min(due, Math.ceil(SPARKS_A_SECOND * elapsed_s));
    for (const row of this.turn(rows, this.sparked, sparks)) this.cells.paint(row, call, ["spark"]);
    this.sparked += sparks;
  }

  private turn(rows: readonly Row[], from: number, count: number): Row[] {
    const first = from % rows.length;
    return [...rows.slice(first, first + count), ...rows.slice(0, Math.max(0, first + count - rows.length))];
  }

  /** Brings the order up to date with the prices. Once a second at most: a table that reorders faster can't be read. */
  reorder(): void {
    const sorted = this.api.getColumnState().some((column) => column.sort && !STILL_COLUMNS.has(column.colId));
    if (this.api.isColumnFilterPresent()) this.api.onFilterChanged();
    else if (sorted) this.api.refreshClientSideRowModel("sort");
  }

  filterChanged(): void {
    this.api.onFilterChanged();
  }

  /** Symbols between the upper and the lower edge of the view. */
  inView(): string[] {
    const { top, bottom } = this.api.getVerticalPixelRange();
    const height = this.api.getSizesForCurrentTheme().rowHeight;
    const symbols: string[] = [];
    for (let index = Math.floor(top / height); index * height < bottom; index += 1) {
      const row = this.api.getDisplayedRowAtIndex(index)?.data;
      if (row) symbols.push(row.symbol);
    }
    return symbols;
  }

  /** Whether a column is filtered. */
  isFiltered(): boolean {
    return this.api.isColumnFilterPresent();
  }

  shownCount(): number {
    return this.api.getDisplayedRowCount();
  }

  /** Rows that pass the filters, in the order shown. */
  shownRows(): Row[] {
    const rows: Row[] = [];
    this.api.forEachNodeAfterFilterAndSort((node) => node.data && rows.push(node.data));
    return rows;
  }

  columnState(): ColumnState[] {
    return this.api.getColumnState();
  }

  applyColumnState(state: ColumnState[], applyOrder = true): void {
    this.api.applyColumnState({ state, applyOrder });
  }

  resetColumns(): void {
    this.api.resetColumnState();
  }

  /** The language or the layout changed: titles, menus and texts anew; the columns stay as the reader left them. */
  relabel(layout: Layout): void {
    const state = this.api.getColumnState();
    this.api.setGridOption("columnDefs", columnDefs(this.context.texts, this.cells, layout));
    this.api.applyColumnState({ state, applyOrder: true });
    this.api.setGridAriaProperty("label", this.context.texts.say("grid.label"));
    this.repaint();
  }

  /** A phone turned, a window was made narrow: other columns, taller rows. */
  setLayout(layout: Layout, columns: ColumnState[] | undefined): void {
    this.element.dataset.layout = layout;
    this.api.setGridOption("theme", gridTheme(layout));
    this.api.setGridOption("columnDefs", columnDefs(this.context.texts, this.cells, layout));
    if (columns) this.api.applyColumnState({ state: columns, applyOrder: true });
    else this.api.resetColumnState();
  }

  /** Moves the keyboard's focus to `row`. */
  focusRow(row: Row): void {
    this.element.querySelector<HTMLElement>(`[row-id="${CSS.escape(rowId(row))}"] .ag-cell`)?.focus();
  }

  /** Moves the keyboard's focus into the first row. */
  focus(): void {
    this.element.querySelector<HTMLElement>(".ag-cell")?.focus();
  }
}

const GRID_TEXTS: ReadonlySet<string> = new Set([
  "filterOoo", "contains", "notContains", "equals", "notEqual", "startsWith", "endsWith", "blank", "notBlank", "lessThan",
  "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "inRange", "inRangeStart", "inRangeEnd", "andCondition", "orCondition", "resetFilter",
]);

function gridText(context: TableContext, key: string, defaultValue: string): string {
  return GRID_TEXTS.has(key) ? context.texts.say(`grid.${key}` as TextKey) : defaultValue;
}
