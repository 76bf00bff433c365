import { afterFrame, browserFrames } from "../view/paint";
import { Faults, type Standing } from "./faults";
import type { Table } from "./grid";

/** So long after a scroll the grid may still be behind it. */
const SCROLL_MS = 1000;

/** Looks after the table: that it is there, and that it comes back where it failed. */
export class TableWatchdog {
  private readonly faults: Faults;
  private framed = false;
  private scrolled_ms = -Infinity;

  constructor(private readonly table: () => Table, changed: (standing: Standing) => void) {
    this.faults = new Faults(
      { now: () => performance.now(), setTimer: (callback, delay_ms) => setTimeout(callback, delay_ms) },
      () => this.table().rebuild(), () => changed(this.faults.standing));
    addEventListener("error", ({ error }) => error && this.suspect()); // without one it is a notice of the browser's own
    addEventListener("unhandledrejection", () => this.suspect());
  }

  /** Something in the table threw. */
  failed(error: unknown): void {
    this.faults.failed(error);
  }

  scrolled(): void {
    this.scrolled_ms = performance.now();
  }

  /**
   * Once a second: is the table there? The grid makes its cells in frames, and while the reader scrolls it is always behind: without a
   * frame since the last look, or in a scroll, nothing can be missed.
   */
  look(): void {
    if (this.framed && performance.now() > this.scrolled_ms + SCROLL_MS) this.faults.look(this.table().isWhole());
    this.framed = false;
    browserFrames.requestFrame(() => {
      this.framed = true;
    });
  }

  /** Something threw, somewhere: was it the table? */
  private suspect(): void {
    this.table().hurry();
    browserFrames.requestFrame(() => afterFrame(() => this.faults.look(this.table().isWhole(), true)));
  }
}
