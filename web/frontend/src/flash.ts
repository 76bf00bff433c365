/** The timers a flasher needs; tests step them. */
export interface FlashTimer {
  setTimer(callback: () => void, delay_ms: number): void;
}

/** Until then a flash stands; the style sheet fades it out afterwards. */
const HOLD_MS = 350;

/** What can be flashed. The direction goes into `data-flash`. */
export interface Flashable {
  dataset: { flash?: string | undefined };
}

/** Lights cells up for a moment. One timer for all of them, however many flash. */
export class Flasher {
  enabled = true;
  private readonly until = new Map<Flashable, number>();
  private armed = false;

  constructor(private readonly timer: FlashTimer) {}

  /** `move`: the price's change; its sign is the direction. */
  flash(cell: Flashable, move: number, now_ms: number): void {
    if (!this.enabled || move === 0) return;
    const direction = move > 0 ? "up" : "down";
    if (cell.dataset.flash !== direction) cell.dataset.flash = direction;
    this.until.delete(cell); // re-inserted at the end: the map stays in order of expiry
    this.until.set(cell, now_ms + HOLD_MS);
    if (!this.armed) this.arm(HOLD_MS);
  }

  /** Puts out everything that is due at `now_ms`. */
  sweep(now_ms: number): void {
    this.armed = false;
    for (const [cell, due_ms] of this.until) {
      if (due_ms > now_ms) {
        this.arm(due_ms - now_ms);
        return;
      }
      delete cell.dataset.flash;
      this.until.delete(cell);
    }
  }

  private arm(delay_ms: number): void {
    this.armed = true;
    this.timer.setTimer(() => this.sweep(performance.now()), delay_ms);
  }
}
