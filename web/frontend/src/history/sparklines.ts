/** Sparklines: up to the last 60 minutes of a symbol in at most 60 points. */
import { BoundedMap } from "./bounded-map";

export const SPARK_WIDTH = 100;
export const SPARK_HEIGHT = 20;
const MAX_POINTS = 60;
const MINUTE_MS = 60_000;
const SPAN_MS = 60 * MINUTE_MS;
/** Widths of a bucket, ms; each a multiple of the one before. A young line is fine-grained, an old one has a point a minute. */
const STEPS_MS: readonly number[] = [1000, 5000, 10_000, 20_000, MINUTE_MS];
/** Lines kept at a time: of symbols that are or were in view. */
const MAX_LINES = 512;

/** The last price of the stretch of time in which `time_ms` (epoch) lies. */
export interface SparkPoint {
  time_ms: number;
  price: number;
}

interface Line {
  /** Index into `STEPS_MS`. */
  step: number;
  points: SparkPoint[];
}

/** A bounded line a symbol: history from the server once, then live prices. Only symbols that were watched have one. */
export class Sparklines {
  private readonly lines = new BoundedMap<string, Line>(MAX_LINES, () => ({ step: 0, points: [] }));

  /** Begins the lines of `symbols`, which are in view, where they have none. */
  watch(symbols: Iterable<string>): void {
    for (const symbol of symbols) this.lines.touch(symbol);
  }

  /** A live price, received at `time_ms` (epoch). */
  add(symbol: string, price: number, time_ms: number): void {
    const line = this.lines.get(symbol);
    if (line) append(line, { time_ms, price });
  }

  /**
   * History from the server, the last price of each minute: it goes where we have nothing of our own.
   *
   * A price stands at the end of its minute, the last one at `now_ms` (the server's clock, epoch) if its minute is not over.
   */
  fill(symbol: string, history: readonly (readonly [minute_ms: number, price: number])[], now_ms: number): void {
    const line = this.lines.get(symbol);
    if (!line) return;
    const minutes = new Set(line.points.map((point) => Math.floor(point.time_ms / MINUTE_MS)));
    const missing = history.filter(([minute_ms]) => !minutes.has(Math.floor(minute_ms / MINUTE_MS)));
    const points = missing.map(([minute_ms, price]) => ({ time_ms: Math.min(now_ms, minute_ms + MINUTE_MS - 1), price }));
    line.points = [...points, ...line.points].sort((left, right) => left.time_ms - right.time_ms);
    trim(line);
  }

  points(symbol: string): readonly SparkPoint[] {
    return this.lines.get(symbol)?.points ?? [];
  }

  delete(symbol: string): void {
    this.lines.delete(symbol);
  }
}

function bucketOf(line: Line, time_ms: number): number {
  const step_ms = STEPS_MS[line.step] ?? MINUTE_MS;
  return Math.floor(time_ms / step_ms) * step_ms;
}

function append(line: Line, { time_ms, price }: SparkPoint): void {
  const begun_ms = bucketOf(line, time_ms);
  const last = line.points[line.points.length - 1];
  if (last && last.time_ms >= begun_ms) {
    if (last.time_ms === begun_ms) last.price = price;
    return;
  }
  line.points.push({ time_ms: begun_ms, price });
  trim(line);
}

/** Brings a line back into its bounds: of time, then of points. Where they are too many, buckets widen; of each the last price stays. */
function trim(line: Line): void {
  const newest_ms = line.points[line.points.length - 1]?.time_ms ?? 0;
  const first = line.points.findIndex((point) => point.time_ms > newest_ms - SPAN_MS);
  if (first > 0) line.points.splice(0, first);
  while (line.points.length > MAX_POINTS) {
    if (line.step < STEPS_MS.length - 1) line.step += 1;
    else line.points.shift();
    const kept: SparkPoint[] = [];
    for (const { time_ms, price } of line.points) {
      const begun_ms = bucketOf(line, time_ms);
      const last = kept[kept.length - 1];
      if (last?.time_ms === begun_ms) last.price = price;
      else kept.push({ time_ms: begun_ms, price });
    }
    line.points = kept;
  }
}

/** An SVG path through `points` and on to `price`, in a box of 100 × 20 with the newest point at the right edge. */
export function sparkPath(points: readonly SparkPoint[], price: number | undefined): string {
  const first = points[0];
  const last = points[points.length - 1];
  if (!first || !last) return "";
  if (points.length === 1) return `M${SPARK_WIDTH} ${SPARK_HEIGHT / 2}h0`; // a dot: the round end of a line without length
  const prices = points.map((point) => point.price);
  if (price !== undefined) prices[prices.length - 1] = price;
  const low = Math.min(...prices);
  const span = Math.max(...prices) - low;
  return points
    .map((point, index) => {
      const x = ((point.time_ms - first.time_ms) / (last.time_ms - first.time_ms)) * SPARK_WIDTH;
      const height = span === 0 ? 0.5 : ((prices[index] ?? low) - low) / span;
      return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${(SPARK_HEIGHT - 1 - height * (SPARK_HEIGHT - 2)).toFixed(1)}`;
    })
    .join("");
}
