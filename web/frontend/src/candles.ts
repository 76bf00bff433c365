import { Bounded } from "./bounded";

/** One bar of a chart. `time_s`: epoch seconds at which it begins, a multiple of its interval. */
export interface Candle {
  time_s: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** One price as it came. `volume`: what the source says has been traded in its session so far; it only grows. */
export interface Trade {
  time_ms: number;
  price: number;
  volume: number | undefined;
}

export const INTERVALS_S: readonly number[] = [1, 5, 15, 60, 300, 900, 3600, 86_400];

/** Bars are kept this far back; older ones fall out. */
const MAX_CANDLES = 1000;

/** Builds the bars of one symbol from prices, or from shorter bars, in the order they were made. */
export class CandleBuilder {
  readonly candles: Candle[] = [];
  private volume: number | undefined;

  constructor(readonly interval_s: number, private readonly most = MAX_CANDLES) {}

  /** The bar that changed, or undefined where `trade` is older than the newest bar: it changes nothing. */
  add({ time_ms, price, volume }: Trade): Candle | undefined {
    const last = this.candles[this.candles.length - 1];
    if (last && time_ms < last.time_s * 1000) return undefined;
    return this.fold({ time_s: time_ms / 1000, open: price, high: price, low: price, close: price, volume: this.traded(volume) });
  }

  /** Takes in a bar of a shorter interval (or of the same); like `add`. */
  fold(part: Candle): Candle | undefined {
    const time_s = Math.floor(part.time_s / this.interval_s) * this.interval_s;
    const last = this.candles[this.candles.length - 1];
    if (last && time_s < last.time_s) return undefined;
    if (last && last.time_s === time_s) {
      last.high = Math.max(last.high, part.high);
      last.low = Math.min(last.low, part.low);
      last.close = part.close;
      last.volume += part.volume;
      return last;
    }
    const candle = { ...part, time_s };
    this.candles.push(candle);
    if (this.candles.length > this.most) this.candles.shift();
    return candle;
  }

  /** What was traded since the trade before; a count that falls began anew (another session). */
  private traded(volume: number | undefined): number {
    const before = this.volume;
    if (volume === undefined) return 0;
    this.volume = volume;
    return before === undefined ? 0 : volume >= before ? volume - before : volume;
  }
}

/** Symbols whose seconds are kept, and how many seconds of each. */
const MAX_BOOKED = 64;
const MAX_SECONDS = 300;

/** The last minutes of the symbols in view in bars of a second, so that a chart that is opened has a past at once. */
export class SecondsBook {
  private readonly books = new Bounded<string, CandleBuilder>(MAX_BOOKED, () => new CandleBuilder(1, MAX_SECONDS));

  /** Begins to keep `symbols`, which are in view. */
  watch(symbols: Iterable<string>): void {
    for (const symbol of symbols) this.books.touch(symbol);
  }

  add(symbol: string, trade: Trade): void {
    this.books.get(symbol)?.add(trade);
  }

  candles(symbol: string): readonly Candle[] {
    return this.books.get(symbol)?.candles ?? [];
  }

  delete(symbol: string): void {
    this.books.delete(symbol);
  }
}

/**
 * The past of a chart: the server's `minutes` where the interval is as long or longer, then `seconds` seen here.
 *
 * `known_s`: the server's minutes say all up to then (epoch seconds); seconds before would count twice. `last`: the newest price, for where
 * nothing was seen: one that rests is news to nobody, and is there all the same.
 */
export function chartPast(
  interval_s: number, minutes: readonly Candle[], known_s: number, seconds: readonly Candle[], last?: Trade,
): CandleBuilder {
  const builder = new CandleBuilder(interval_s);
  const useMinutes = interval_s >= 60 && minutes.length > 0;
  if (useMinutes) for (const minute of minutes) builder.fold(minute);
  for (const second of seconds) if (!useMinutes || second.time_s >= known_s) builder.fold(second);
  if (last && builder.candles.length === 0) builder.add(last);
  return builder;
}
