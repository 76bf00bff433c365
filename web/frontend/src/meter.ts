/** How many of the newest paints are weighed. */
const WINDOW = 1024;

/** The newest values of something, for percentiles. */
export class Percentiles {
  private readonly values = new Float64Array(WINDOW);
  private count = 0;

  add(value: number): void {
    this.values[this.count % WINDOW] = value;
    this.count += 1;
  }

  /** `fractions` in 0 … 1, e.g. 0.99 for p99; undefined while there is nothing. */
  read(...fractions: number[]): (number | undefined)[] {
    const filled = Math.min(this.count, WINDOW);
    const sorted = this.values.slice(0, filled).sort();
    return fractions.map((fraction) => (filled === 0 ? undefined : sorted[Math.min(filled - 1, Math.floor(fraction * filled))]));
  }

  clear(): void {
    this.count = 0;
  }
}
