import { createGrid, type ColDef, type ColumnState, type FilterModel, type GridApi, type IRowNode } from "ag-grid-community";
import type { Row } from "../model/store";
import type { Layout } from "../view/layout";
import { afterFrame } from "../view/paint";
import type { Sort } from "../view/view";
import { CellRegistry, quietly } from "./cells";
import { ColumnFit } from "./column-fit";
import { alike, arranged, attempt, firstStates, guarded, keepable, sortOf } from "./column-state";
import { columnDefs, STILL_COLUMNS } from "./columns";
import type { TableContext } from "./context";
import "./grid-modules";
import { gridText } from "./grid-texts";
import { gridTheme } from "./grid-theme";
import { rowId } from "./row-id";
import { RowPlaces } from "./row-places";
import { SlowCells } from "./slow-cells";
import type { TableOptions } from "./table-options";
import { inView, isWhole } from "./visible-rows";

/**
 * The live table. The grid keeps rows, order and columns; cells paint themselves. Whatever throws in the grid is told to `failed` and
 * stops nobody else.
 */
export class Table {
  readonly cells: CellRegistry;
  private api: GridApi<Row> | undefined;
  private readonly context: TableContext;
  private rows: readonly Row[] = [];
  /** As the reader left them, or as a table that is rebuilt has them again. */
  private columns: readonly ColumnState[] | undefined;
  private sort: readonly Sort[];
  private layout: Layout;
  private readonly places = new RowPlaces();
  private readonly slowCells = new SlowCells();
  private readonly fit: ColumnFit;

  constructor(private readonly element: HTMLElement, private readonly options: TableOptions) {
    this.context = options.context;
    this.layout = options.layout;
    this.columns = options.columns;
    this.sort = options.sort;
    this.cells = new CellRegistry(options.failed);
    this.fit = new ColumnFit(element, this.context, (act, otherwise) => this.use(act, otherwise));
    this.build();
  }

  /** Makes the grid, with the rows, columns and order that it is to have: no frame shows it with others. */
  private build(filters?: FilterModel): void {
    const { options, context, layout } = this;
    this.element.dataset.layout = layout;
    const safely = <A extends unknown[]>(act: (...args: A) => void) => attempt(act, undefined, reportError); // the grid survives what we do with its news
    const keepColumns = safely(() => this.keepColumns());
    this.use(() => {
      this.fit.begin();
      this.fit.chosen(this.columns);
      this.api = createGrid<Row>(this.element, {
        theme: gridTheme(layout),
        ...(options.styleNonce ? { styleNonce: options.styleNonce } : {}),
        context,
        columnDefs: arranged(this.defs(), this.columns, this.sort),
        maintainColumnOrder: true,
        getRowId: ({ data }) => rowId(data),
        getLocaleText: ({ key, defaultValue }) => gridText(context.texts, key, defaultValue),
        isExternalFilterPresent: () => true,
        doesExternalFilterPass: attempt(({ data }) => data === undefined || options.passes(data), true, options.failed),
        postSortRows: ({ nodes }) => this.places.restore(nodes),
        animateRows: false, // rows that slide about can't be read
        suppressColumnMoveAnimation: true, // nor can numbers, which lie over one another while their columns slide
        suppressRowTransform: true, // a row with a transform is a layer of its own: scrolling costs half without
        suppressColumnVirtualisation: true, // a dozen columns: to look at each scroll which of them are in view costs more than to have them all
        rowBuffer: 5, // rows beyond the view that are kept ready: half of the grid's ten make scrolling cheaper by a tenth
        suppressDragLeaveHidesColumns: true,
        suppressMovableColumns: layout === "narrow",
        rowData: [...this.rows],
        suppressOverlays: ["noRows", "noMatchingRows"], // the page says itself why there are no rows
        loading: false,
        onBodyScroll: safely(() => {
          options.moved();
          options.scrolled();
        }),
        onModelUpdated: safely(() => {
          options.moved();
          options.rowsChanged();
        }),
        onGridSizeChanged: safely(() => {
          options.moved();
          this.measure();
        }),
        onDisplayedColumnsChanged: safely(() => this.measure()),
        onColumnMoved: ({ finished }) => finished && keepColumns(),
        onColumnResized: safely(({ finished, source, column }) => {
          const chosen = source === "uiColumnResized" && column !== null;
          if (chosen) this.fit.choose(column.getColId());
          if (finished) this.measure();
          else if (chosen) this.repaint(column.getColId());
          if (finished && chosen) keepColumns();
        }),
        onColumnVisible: keepColumns,
        onColumnPinned: keepColumns,
        onSortChanged: safely(() => {
          this.fit.measureTitles();
          this.keepSort();
        }),
        onFilterChanged: safely(() => this.fit.measureTitles()),
        onCellKeyDown: safely(({ data, event }) => {
          if (data && event instanceof KeyboardEvent && event.key === "Enter") options.opened(data);
        }),
      });
      if (filters) this.api.setFilterModel(filters);
      this.fit.measureTitles();
      this.api.setGridAriaProperty("label", context.texts.say("grid.label"));
    }, undefined);
  }

  /** Does something with the grid. Where that throws, the answer is `otherwise`, and the table will be rebuilt. */
  private use<T>(act: (api: GridApi<Row>) => T, otherwise: T): T {
    return attempt(() => act(this.api as GridApi<Row>), otherwise, this.options.failed)();
  }

  /** A new grid in place of this one: with its rows, columns, order, filters and scroll. */
  rebuild(): void {
    const { api } = this;
    const quiet = <T>(act: () => T | undefined): T | undefined => attempt(act, undefined, () => undefined)(); // it may be broken
    const filters = quiet(() => api?.getFilterModel());
    const first = quiet(() => api && inView(api).rows[0]);
    const focused = this.element.contains(document.activeElement) ? document.activeElement?.closest(".ag-row")?.getAttribute("row-id") : undefined;
    quiet(() => api?.destroy());
    this.api = undefined;
    this.element.replaceChildren();
    this.cells.clear();
    this.places.release();
    this.build(filters);
    if (first) this.use((api) => api.ensureNodeVisible((node: IRowNode<Row>) => node.data === first, "top"), undefined);
    const row = focused && this.rowOf(focused);
    if (row) requestAnimationFrame(() => afterFrame(() => this.focusRow(row))); // its cells come a frame after it
  }

  /** Whether the rows in view stand there, with all their cells, and no others. */
  isWhole(): boolean {
    const api = this.api;
    if (!api) return false;
    return attempt(() => isWhole(api, this.element, this.rows, this.cells, this.options.passes), false, () => undefined)();
  }

  /** What the grid has put off to its next frame is done now: where one of its frames threw, it would wait for ever. */
  hurry(): void {
    this.use((api) => api.flushAllAnimationFrames(), undefined);
  }

  /** The rows, in the order of the settings. Rows that stay keep their cells. */
  setRows(rows: readonly Row[]): void {
    const some = this.rows.length > 0;
    this.rows = rows;
    if (some) this.fit.renew();
    else this.fit.fresh();
    this.holdPlaces();
    this.use((api) => {
      api.setGridOption("rowData", [...rows]);
      if (some) api.onFilterChanged(); // what filters read of rows that stay may have changed too
    }, undefined);
  }

  /** What filters read of the rows may have changed, and nobody asked for it. */
  revise(): void {
    this.holdPlaces();
    this.use((api) => api.onFilterChanged(), undefined);
  }

  /** The reader chose other rows: they stand in the order of this moment. */
  filterChanged(): void {
    this.places.release();
    this.use((api) => api.onFilterChanged(), undefined);
  }

  /** Brings the order up to date with the prices. Once a second at most: a table that reorders faster can't be read. */
  reorder(): void {
    if (this.options.holds()) return;
    this.options.ordered();
    this.use((api) => {
      if (api.isColumnFilterPresent() || this.places.isHeld) {
        this.places.release();
        api.onFilterChanged();
      } else if (this.isLive()) {
        api.refreshClientSideRowModel("sort");
      }
    }, undefined);
  }

  /** Whether prices move the rows. */
  isLive(): boolean {
    return this.sort.some(({ column }) => !STILL_COLUMNS.has(column)) || this.use((api) => api.isColumnFilterPresent(), false);
  }

  /** Rows come, go, or are filtered anew, and nobody asked for it. */
  private holdPlaces(): void {
    if (this.options.holds()) this.places.hold(() => this.shownRows());
    else this.places.release();
  }

  private keepColumns(): void {
    if (!this.api) return;
    const columns = keepable(this.fit.choices(this.columnState()));
    if (columns.length === 0 || alike(columns, this.columns ?? this.firstStates())) return;
    this.columns = columns;
    this.options.columnsChanged(columns);
  }

  private keepSort(): void {
    this.sort = sortOf(this.columnState());
    if (this.places.isHeld) this.filterChanged();
    this.options.sorted([...this.sort]);
  }

  private firstStates(): ColumnState[] {
    return this.fit.choices(firstStates(this.defs()));
  }

  private defs(): ColDef<Row>[] {
    return guarded(columnDefs(this.context.texts, this.cells, this.layout), this.options.failed);
  }

  /** Columns came, went, or are as wide as they were not: what fits is judged anew. */
  private measure(): void {
    if (!this.api) return; // it is being made
    this.fit.resized();
    this.use((api) => {
      const { left, right } = api.getHorizontalPixelRange();
      const needed = api.getDisplayedCenterColumns().reduce((sum, column) => sum + column.getActualWidth(), 0);
      this.element.toggleAttribute("data-fits", needed <= right - left);
    }, undefined);
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

  /** Ages have grown. `now_ms`: a clock that only goes forward. */
  paintSlowCells(now_ms: number): void {
    if (this.fit.isOutdated()) this.repaint();
    this.slowCells.paint(this.cells, quietly(this.context), now_ms);
  }

  /** Rows between the upper and the lower edge of the view. */
  rowsInView(): Row[] {
    return this.use((api) => inView(api).rows, []);
  }

  /** Whether a column is filtered. */
  isFiltered(): boolean {
    return this.use((api) => api.isColumnFilterPresent(), false);
  }

  shownCount(): number {
    return this.use((api) => api.getDisplayedRowCount(), 0);
  }

  /** Rows that pass the filters, in the order shown. */
  shownRows(): Row[] {
    return this.use((api) => {
      const rows: Row[] = [];
      api.forEachNodeAfterFilterAndSort((node) => node.data && rows.push(node.data));
      return rows;
    }, []);
  }

  /** The row that the grid knows by this id. */
  rowOf(id: string): Row | undefined {
    return this.use((api) => api.getRowNode(id)?.data, undefined);
  }

  columnState(): ColumnState[] {
    return this.use((api) => api.getColumnState(), []);
  }

  applyColumnState(state: readonly ColumnState[], applyOrder = true): void {
    this.use((api) => api.applyColumnState({ state: [...state], applyOrder }), undefined);
  }

  /** As they are at first; the order of the rows stays. */
  resetColumns(): void {
    this.fit.chosen(undefined);
    this.applyColumnState(firstStates(this.defs()));
    this.repaint();
  }

  /** The columns as another window left them. */
  adoptColumns(columns: readonly ColumnState[] | undefined): void {
    if (alike(columns ?? this.firstStates(), this.columns ?? this.firstStates())) return;
    this.columns = columns;
    this.fit.chosen(columns);
    this.applyColumnState(columns ?? firstStates(this.defs()));
    this.repaint();
  }

  /** The language changed: titles, menus and texts anew; the columns stay as the reader left them. */
  relabel(): void {
    this.fit.begin();
    this.use((api) => {
      api.setGridOption("columnDefs", this.defs());
      api.setGridAriaProperty("label", this.context.texts.say("grid.label"));
    }, undefined);
    this.fit.measureTitles();
    this.repaint();
  }

  /** A phone turned, a window was made narrow: other columns, taller rows. */
  setLayout(layout: Layout, columns: readonly ColumnState[] | undefined): void {
    this.layout = layout;
    this.columns = columns;
    this.rebuild();
  }

  /** Moves the keyboard's focus to `row`, into the column where it was last. The grid is told: it marks one cell, and its keys go on from there. */
  focusRow(row: Row): void {
    this.use((api) => {
      const index = api.getRowNode(rowId(row))?.rowIndex;
      const columns = api.getAllDisplayedColumns();
      const column = columns.find((column) => column === api.getFocusedCell()?.column) ?? columns[0];
      if (column && typeof index === "number") api.setFocusedCell(index, column);
    }, undefined);
  }

  /** Moves the keyboard's focus into the first row in view. */
  focus(): void {
    const [row] = this.rowsInView();
    if (row) this.focusRow(row);
  }
}
