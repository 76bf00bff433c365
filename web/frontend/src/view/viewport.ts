/** Nothing is joined or left before the scroll has rested so long: a fling past 1,000 rows costs no joins. */
const SETTLE_MS = 200;

export interface ViewportTimer {
  setTimer(callback: () => void, delay_ms: number): number;
  clearTimer(id: number): void;
}

/** Tells which symbols are in view, once the view has come to rest and only where it changed. */
export class Viewport {
  symbols: readonly string[] = [];
  private timer: number | undefined;

  /** `read`: the symbols in view at this moment. */
  constructor(
    private readonly timers: ViewportTimer,
    private readonly read: () => readonly string[],
    private readonly changed: (symbols: readonly string[]) => void,
  ) {}

  /** Scrolled, sorted, filtered, resized, rows added: wait for rest, then look. */
  moved(): void {
    if (this.timer !== undefined) this.timers.clearTimer(this.timer);
    this.timer = this.timers.setTimer(() => this.settle(), SETTLE_MS);
  }

  private settle(): void {
    this.timer = undefined;
    const symbols = this.read();
    if (symbols.length === this.symbols.length && symbols.every((symbol, index) => symbol === this.symbols[index])) return;
    this.symbols = symbols;
    this.changed(symbols);
  }
}
