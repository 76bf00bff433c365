/** Sparklines: up to the last 60 minutes of a symbol in at most 60 points. */

export const SPARK_WIDTH = 100;
export const SPARK_HEIGHT = 20;
const MAX_POINTS = 60;
/** Widths of a bucket, ms; each a multiple of the one before. A young line is fine-grained, an old one has a point a minute. */
const STEPS_MS: readonly number[] = [5000, 10_000, 20_000, 60_000];
const MINUTE_STEP = STEPS_MS.length - 1;

/** The last price of a bucket. `bucket`: epoch ms / step, whole. */
export interface SparkPoint {
  bucket: number;
  price: number;
}

interface Line {
  /** Index into `STEPS_MS`. */
  step: number;
  points: SparkPoint[];
}

/** A bounded line a symbol: history from the server once, then live prices. */
export class SparkBook {
  private readonly lines = new Map<string, Line>();

  /** A live price, received at `time_ms` (epoch). */
  add(symbol: string, price: number, time_ms: number): void {
    let line = this.lines.get(symbol);
    if (!line) {
      line = { step: 0, points: [] };
      this.lines.set(symbol, line);
    }
    append(line, price, time_ms);
  }

  /** History from the server, oldest first, `[epoch ms, price]`, a point a minute; what we saw live meanwhile goes on top. */
  fill(symbol: string, history: readonly (readonly [time_ms: number, price: number])[]): void {
    const live = this.lines.get(symbol);
    const line: Line = { step: MINUTE_STEP, points: [] };
    for (const [time_ms, price] of history) append(line, price, time_ms);
    for (const { bucket, price } of live?.points ?? []) append(line, price, bucket * stepOf(live));
    this.lines.set(symbol, line);
  }

  points(symbol: string): readonly SparkPoint[] {
    return this.lines.get(symbol)?.points ?? [];
  }

  /** Milliseconds a bucket of `symbol`'s line. */
  step_ms(symbol: string): number {
    return stepOf(this.lines.get(symbol));
  }

  delete(symbol: string): void {
    this.lines.delete(symbol);
  }
}

function stepOf(line: Line | undefined): number {
  return STEPS_MS[line?.step ?? 0] ?? 60_000;
}

function append(line: Line, price: number, time_ms: number): void {
  const bucket = Math.floor(time_ms / stepOf(line));
  const { points } = line;
  const last = points[points.length - 1];
  if (last && last.bucket === bucket) last.price = price;
  else if (!last || last.bucket < bucket) points.push({ bucket, price });
  if (points.length > MAX_POINTS && line.step < MINUTE_STEP) widen(line);
  const oldest = Math.floor(time_ms / stepOf(line)) - MAX_POINTS;
  while (points[0] && points[0].bucket <= oldest) points.shift();
}

/** The same line with the next wider bucket; of each new bucket the last price stays. */
function widen(line: Line): void {
  const before_ms = stepOf(line);
  line.step += 1;
  const kept: SparkPoint[] = [];
  for (const point of line.points) {
    const bucket = Math.floor((point.bucket * before_ms) / stepOf(line));
    const last = kept[kept.length - 1];
    if (last?.bucket === bucket) last.price = point.price;
    else kept.push({ bucket, price: point.price });
  }
  line.points.splice(0, line.points.length, ...kept);
}

/** An SVG path through `points` and on to `price`, in a box of 100 × 20 with the newest point at the right edge. */
export function sparkPath(points: readonly SparkPoint[], price: number | undefined): string {
  const first = points[0];
  const last = points[points.length - 1];
  if (!first || !last || points.length < 2) return "";
  const prices = points.map((point) => point.price);
  if (price !== undefined) prices[prices.length - 1] = price;
  const low = Math.min(...prices);
  const span = Math.max(...prices) - low;
  return points
    .map((point, index) => {
      const x = ((point.bucket - first.bucket) / (last.bucket - first.bucket)) * SPARK_WIDTH;
      const height = span === 0 ? 0.5 : ((prices[index] ?? low) - low) / span;
      return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${(SPARK_HEIGHT - 1 - height * (SPARK_HEIGHT - 2)).toFixed(1)}`;
    })
    .join("");
}
