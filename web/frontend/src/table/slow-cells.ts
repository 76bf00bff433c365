import type { Row } from "../model/store";
import type { CellRegistry, PaintCall } from "./cells";

/** What changes while no news comes, or is read now and then: written once a second. */
const SLOW: readonly string[] = ["age", "volume"];
/** So many rows have their hour drawn anew each second, in turns. */
const SPARKS_A_SECOND = 10;

/**
 * What grows by itself. Every row has its turn once a second, a few with each paint: all of a full screen at once is a long frame, and what
 * arrives meanwhile waits for it.
 */
export class SlowCells {
  private painted_ms = 0;
  private aged = 0;
  private sparked = 0;

  /** `now_ms`: a clock that only goes forward. */
  paint(cells: CellRegistry, call: PaintCall, now_ms: number): void {
    const elapsed_s = Math.min(1, (now_ms - this.painted_ms) / 1000);
    const rows = [...cells.rows()];
    const due = Math.floor(rows.length * elapsed_s);
    if (due === 0) return;
    this.painted_ms = now_ms;
    for (const row of turn(rows, this.aged, due)) cells.paint(row, call, SLOW);
    this.aged += due;
    const sparks = Math.min(due, Math.ceil(SPARKS_A_SECOND * elapsed_s));
    for (const row of turn(rows, this.sparked, sparks)) cells.paint(row, call, ["spark"]);
    this.sparked += sparks;
  }
}

function turn(rows: readonly Row[], from: number, count: number): Row[] {
  const first = from % rows.length;
  return [...rows.slice(first, first + count), ...rows.slice(0, Math.max(0, first + count - rows.length))];
}
