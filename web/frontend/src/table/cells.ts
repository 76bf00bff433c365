import type { ICellRendererComp, ICellRendererParams } from "ag-grid-community";
import type { Row } from "../model/store";
import { showTruth, type Truth } from "../model/truth";
import type { TableContext } from "./context";
import type { Room } from "./widths";

/** How a cell is painted this time. */
export interface PaintCall {
  context: TableContext;
  now_ms: number;
  /** Off for first paints, snapshots and catch-ups. */
  flash: boolean;
  /** A quote has changed: up to 50 times a second. What can wait for its row's turn, once a second, leaves it to that. */
  news: boolean;
}

/** A paint that is no news: nothing flashes. */
export function quietly(context: TableContext): PaintCall {
  return { context, now_ms: 0, flash: false, news: false };
}

/** The same for the cells of one row, which is judged once for all of them. */
export interface RowCall extends PaintCall {
  truth: Truth;
}

export function judged(row: Row, call: PaintCall): RowCall {
  return { ...call, truth: call.context.truth(row) };
}

/** Writes a row into one cell of a column. `build` runs once a cell, `paint` at each change; both write text, never markup. */
export interface CellPainter {
  build?(root: HTMLElement): void;
  paint(root: HTMLElement, row: Row, call: RowCall, room: Room): void;
}

/** The cells that exist at the moment (rows in view), by row: the paint goes straight to them, past the grid. */
export class CellRegistry {
  private readonly cells = new Map<Row, Set<LiveCell>>();

  /** `failed`: a cell could not be made or painted. */
  constructor(readonly failed: (error: unknown) => void) {}

  add(row: Row, cell: LiveCell): void {
    const cells = this.cells.get(row);
    if (cells) cells.add(cell);
    else this.cells.set(row, new Set([cell]));
  }

  delete(row: Row, cell: LiveCell): void {
    const cells = this.cells.get(row);
    cells?.delete(cell);
    if (cells?.size === 0) this.cells.delete(row);
  }

  /** Rows with at least one cell. */
  rows(): Iterable<Row> {
    return this.cells.keys();
  }

  isEmpty(): boolean {
    return this.cells.size === 0;
  }

  has(row: Row): boolean {
    return this.cells.has(row);
  }

  /** How many cells of `row` stand in the document. */
  count(row: Row): number {
    return [...this.cells.get(row) ?? []].filter((cell) => cell.getGui().isConnected).length;
  }

  /** The table is rebuilt: none of them is left. */
  clear(): void {
    this.cells.clear();
  }

  /** Repaints the cells of `row`; with `columns`, those only. */
  paint(row: Row, call: PaintCall, columns: readonly string[] = []): void {
    const cells = this.cells.get(row);
    if (!cells) return;
    const judgement = judged(row, call);
    for (const cell of cells) if (columns.length === 0 || columns.includes(cell.column)) cell.paint(judgement);
  }
}

export interface LiveCellParams extends ICellRendererParams<Row> {
  painter: CellPainter;
  registry: CellRegistry;
  context: TableContext;
}

/**
 * A cell that paints itself. The grid decides where it stands; the text in it is ours. What fails in it never reaches the grid, which would
 * stop at half a table: the cell is empty then, for what stood there may be wrong, and the table is rebuilt.
 */
export class LiveCell implements ICellRendererComp<Row> {
  private params!: LiveCellParams;
  private room!: Room;
  private readonly root = document.createElement("div");
  private row: Row | undefined;

  init(params: LiveCellParams): void {
    this.root.className = "cell";
    try {
      params.painter.build?.(this.root);
    } catch (error) {
      params.registry.failed(error);
    }
    this.show(params);
  }

  get column(): string {
    return this.params.column?.getColId() ?? "";
  }

  getGui(): HTMLElement {
    return this.root;
  }

  refresh(params: LiveCellParams): boolean {
    this.show(params);
    return true;
  }

  destroy(): void {
    if (this.row) this.params.registry.delete(this.row, this);
  }

  paint(call: RowCall): void {
    const row = this.row;
    if (!row) return;
    try {
      showTruth(this.root, call.truth);
      this.room.width_px = this.params.column?.getActualWidth() ?? 0;
      this.params.painter.paint(this.root, row, call, this.room);
    } catch (error) {
      this.root.replaceChildren();
      this.params.registry.failed(error);
    }
  }

  private show(params: LiveCellParams): void {
    this.params = params;
    this.room = params.context.widths.room(this.column);
    if (this.row !== params.data) {
      if (this.row) params.registry.delete(this.row, this);
      this.row = params.data;
      if (this.row) params.registry.add(this.row, this);
    }
    if (this.row) this.paint(judged(this.row, quietly(params.context)));
  }
}
