/** What the page may say of its table: it is as it should be, it had to be rebuilt, or that does not help. */
export type Standing = "whole" | "rebuilt" | "broken";

/** The timer that faults need; tests step it. */
export interface FaultTimer {
  now(): number;
  setTimer(callback: () => void, delay_ms: number): unknown;
}

/** A table that has stood for so long without a fault is whole again. */
const STEADY_MS = 30_000;
/** With the third fault in a row rebuilding is no cure. */
const MOST_FAULTS = 3;
/** Between two rebuildings at least so long, twice as long each time, and at most. */
const FIRST_REST_MS = 1000;
const MOST_REST_MS = 60_000;
/** The grid makes cells a frame after their rows: only what is missing at so many looks in a row is missing. */
const LOOKS = 3;

/** Has the table rebuilt where something in it failed, and knows when to give up hope. */
export class Faults {
  standing: Standing = "whole";
  private tries = 0;
  private failed_ms = -Infinity;
  private rebuilt_ms = -Infinity;
  private armed = false;
  private missed = 0;

  constructor(private readonly timer: FaultTimer, private readonly rebuild: () => void, private readonly changed: () => void) {}

  /** Something in the table threw. */
  failed(error: unknown): void {
    const now_ms = this.timer.now();
    if (this.armed) return;
    if (this.isSteady()) this.tries = 0;
    console.error("the table failed and is rebuilt:", error);
    this.failed_ms = now_ms;
    this.armed = true;
    if (this.tries >= MOST_FAULTS - 1) this.stand("broken");
    const rest_ms = this.tries === 0 ? 0 : Math.min(MOST_REST_MS, FIRST_REST_MS * 2 ** (this.tries - 1));
    this.timer.setTimer(() => this.repair(), Math.max(0, this.rebuilt_ms + rest_ms - now_ms));
  }

  /** What a look at the table found. `suspect`: something was thrown elsewhere, one look is enough. */
  look(isWhole: boolean, suspect = false): void {
    if (this.standing !== "whole" && !this.armed && this.isSteady()) this.stand("whole");
    this.missed = isWhole ? 0 : this.missed + (suspect ? LOOKS : 1);
    if (this.missed < LOOKS) return;
    this.missed = 0;
    this.failed(new Error("rows in view are not shown"));
  }

  private isSteady(): boolean {
    return this.timer.now() >= Math.max(this.failed_ms, this.rebuilt_ms) + STEADY_MS;
  }

  private repair(): void {
    this.armed = false;
    this.tries += 1;
    this.missed = 0;
    this.rebuilt_ms = this.timer.now();
    if (this.standing === "whole") this.stand("rebuilt");
    this.rebuild();
  }

  private stand(standing: Standing): void {
    if (standing === this.standing) return;
    this.standing = standing;
    this.changed();
  }
}
