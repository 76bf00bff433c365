/** The timers a flasher needs; tests step them. */
export interface FlashTimer {
  setTimer(callback: () => void, delay_ms: number): void;
}

/** So long a flash stands, and so long it glows on after that. */
const HOLD_MS = 350;
const GLOW_MS = 250;
/** What goes out within so long of one another goes out together: in one frame. */
const TOGETHER_MS = 50;

/** What can be flashed. The direction goes into `data-flash`, afterwards into `data-glow`. */
export interface Flashable {
  dataset: { flash?: string | undefined; glow?: string | undefined };
}

/**
 * Lights cells up for a moment. One timer for all of them, however many flash.
 *
 * In two steps and not in a fade: a table in which something fades all the time is painted 60 times a second for nothing else.
 */
export class Flasher {
  enabled = true;
  /** Both in order of expiry. */
  private readonly lit = new Map<Flashable, number>();
  private readonly glowing = new Map<Flashable, number>();
  private armed = false;

  constructor(private readonly timer: FlashTimer) {}

  /** `move`: the price's change; its sign is the direction. */
  flash(cell: Flashable, move: number, now_ms: number): void {
    if (!this.enabled || move === 0) return;
    const direction = move > 0 ? "up" : "down";
    if (cell.dataset.flash !== direction) cell.dataset.flash = direction;
    if (this.glowing.delete(cell)) delete cell.dataset.glow;
    this.lit.delete(cell); // re-inserted at the end: the map stays in order of expiry
    this.lit.set(cell, due(now_ms + HOLD_MS));
    if (!this.armed) this.arm(now_ms);
  }

  /** Puts out everything that is due at `now_ms`. */
  sweep(now_ms: number): void {
    this.armed = false;
    for (const cell of expired(this.lit, now_ms)) {
      cell.dataset.glow = cell.dataset.flash;
      delete cell.dataset.flash;
      this.glowing.set(cell, due(now_ms + GLOW_MS));
    }
    for (const cell of expired(this.glowing, now_ms)) delete cell.dataset.glow;
    this.arm(now_ms);
  }

  private arm(now_ms: number): void {
    const next_ms = Math.min(...[this.lit, this.glowing].map((cells) => cells.values().next().value ?? Infinity));
    if (next_ms === Infinity) return;
    this.armed = true;
    this.timer.setTimer(() => this.sweep(performance.now()), Math.max(0, next_ms - now_ms));
  }
}

function due(at_ms: number): number {
  return Math.ceil(at_ms / TOGETHER_MS) * TOGETHER_MS;
}

/** Takes out what is due. */
function expired(cells: Map<Flashable, number>, now_ms: number): Flashable[] {
  const found: Flashable[] = [];
  for (const [cell, due_ms] of cells) {
    if (due_ms > now_ms) break;
    found.push(cell);
    cells.delete(cell);
  }
  return found;
}
