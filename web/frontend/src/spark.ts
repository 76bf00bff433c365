/** Sparklines: the last 60 minutes of a symbol, a point a minute. */

export const SPARK_WIDTH = 100;
export const SPARK_HEIGHT = 20;
export const SPARK_MINUTES = 60;
const MINUTE_MS = 60_000;

/** The last price of a minute. `minute`: epoch ms / 60,000, whole. */
export interface SparkPoint {
  minute: number;
  price: number;
}

/** A bounded ring a symbol: history from the server once, then from live prices. */
export class SparkBook {
  private readonly rings = new Map<string, SparkPoint[]>();

  /** A live price, made at `time_ms` (epoch). */
  add(symbol: string, price: number, time_ms: number): void {
    const minute = Math.floor(time_ms / MINUTE_MS);
    const ring = this.rings.get(symbol);
    if (!ring) {
      this.rings.set(symbol, [{ minute, price }]);
      return;
    }
    const last = ring[ring.length - 1];
    if (last && last.minute === minute) last.price = price;
    else if (!last || last.minute < minute) ring.push({ minute, price });
    while (ring[0] && ring[0].minute <= minute - SPARK_MINUTES) ring.shift();
  }

  /** History from the server, oldest first, `[epoch ms, price]`; what we saw live meanwhile goes on top. */
  fill(symbol: string, history: readonly (readonly [time_ms: number, price: number])[]): void {
    const live = this.rings.get(symbol) ?? [];
    this.rings.delete(symbol);
    for (const [time_ms, price] of history) this.add(symbol, price, time_ms);
    for (const point of live) this.add(symbol, point.price, point.minute * MINUTE_MS);
  }

  points(symbol: string): readonly SparkPoint[] {
    return this.rings.get(symbol) ?? [];
  }

  delete(symbol: string): void {
    this.rings.delete(symbol);
  }
}

/** An SVG path through `points` and on to `price`, in a box of 100 × 20 with the newest minute at the right edge. */
export function sparkPath(points: readonly SparkPoint[], price: number | undefined): string {
  const last = points[points.length - 1];
  if (!last || points.length < 2) return "";
  const prices = points.map((point) => point.price);
  if (price !== undefined) prices[prices.length - 1] = price;
  const low = Math.min(...prices);
  const span = Math.max(...prices) - low;
  const first = points[0]?.minute ?? last.minute;
  const minutes = Math.max(1, last.minute - first);
  return points
    .map((point, index) => {
      const x = ((point.minute - first) / minutes) * SPARK_WIDTH;
      const height = span === 0 ? 0.5 : ((prices[index] ?? low) - low) / span;
      return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${(SPARK_HEIGHT - 1 - height * (SPARK_HEIGHT - 2)).toFixed(1)}`;
    })
    .join("");
}
