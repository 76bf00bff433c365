import type { Row } from "../model/store";
import { afterFrame } from "./paint";

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
}

/** How old prices are when they are painted, and how long the page took. */
export class PaintMeter {
  private readonly ages = new Percentiles();
  private readonly delays = new Percentiles();

  /** These rows were painted just now, of `server_ms` by the server's clock: each counts once, as news. */
  painted(rows: readonly Row[], server_ms: number, isNews: (row: Row) => boolean): void {
    const arrivals_ms: number[] = [];
    for (const row of rows) {
      if (row.arrived_ms > 0 && row.quote && isNews(row)) {
        arrivals_ms.push(row.arrived_ms);
        this.ages.add(server_ms - row.quote.received_time);
      }
      row.arrived_ms = 0;
    }
    afterFrame(() => {
      const painted_ms = Date.now();
      for (const arrived_ms of arrivals_ms) this.delays.add(painted_ms - arrived_ms);
    });
  }

  read(): { age_p50_ms: number | undefined; age_p99_ms: number | undefined; paint_p99_ms: number | undefined } {
    const [age_p50_ms, age_p99_ms] = this.ages.read(0.5, 0.99);
    const [paint_p99_ms] = this.delays.read(0.99);
    return { age_p50_ms, age_p99_ms, paint_p99_ms };
  }
}
