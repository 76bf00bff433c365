import type { Quote, QuoteState, VolumeOf } from "../model/wire";
import { BoundedMap } from "./bounded-map";

/** One bar of a chart. `time_s`: epoch seconds at which it begins, a multiple of its interval. */
export interface Candle {
  time_s: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** What was traded in it; undefined where what the source counts can't tell. */
  volume: number | undefined;
}

/** One price as it came, with what its source has counted so far. */
export interface Trade {
  time_ms: number;
  price: number;
  seq: number;
  state: QuoteState;
  /** Undefined where nothing follows from a count. */
  volume: number | undefined;
  /** Who counted, what, and on which connection: from one to another nothing follows. */
  whose: string;
  /** The day in UTC that the count is of; undefined where it is a session's. */
  day: number | undefined;
}

const DAY_MS = 86_400_000;

/** `quote` as it came on connection `generation`. */
export function tradeOf(quote: Quote, volume_of: VolumeOf | undefined, generation: number): Trade {
  const { received_time, price, seq, state, volume, source, origin, quote_time } = quote;
  const counts = volume_of === "session" || volume_of === "day_utc";
  return {
    time_ms: received_time, price, seq, state, volume: counts ? volume : undefined, whose: [generation, volume_of, source, origin].join(" "),
    day: volume_of === "day_utc" ? Math.floor((quote_time ?? received_time) / DAY_MS) : undefined,
  };
}

/** A count that falls below this share of what it was began anew, whatever the time; one that falls less was put right. */
const ANEW_BELOW = 0.1;
/** Where updates were passed over for so long, nobody knows when it was that the count grew, ms. */
const LONGEST_GAP_MS = 60_000;

/** What a source counts, from price to price: the rules of the server's bars (`ticker/board/history.py`). */
class Count {
  private last: Trade | undefined;
  private rested = false;

  /** What was traded since the price before; undefined where that can't be told. */
  grown(trade: Trade): number | undefined {
    const before = this.last;
    this.last = trade.volume === undefined || trade.state === "stale" || trade.state === "failed" ? undefined : trade;
    const rested = this.rested;
    this.rested = trade.state === "closed" || (rested && trade.volume === before?.volume);
    if (!this.last || trade.volume === undefined || before?.volume === undefined || before.whose !== trade.whose) return undefined;
    if (trade.seq > before.seq + 1 && trade.time_ms - before.time_ms > LONGEST_GAP_MS) return undefined;
    if (trade.volume === before.volume) {
      this.last = { ...trade, day: before.day }; // still the day before's, for all we know
      return 0;
    }
    const isOtherDay = trade.day !== before.day;
    if (trade.volume > before.volume) return rested || isOtherDay ? undefined : trade.volume - before.volume;
    return trade.volume < before.volume * ANEW_BELOW || isOtherDay ? trade.volume : undefined;
  }
}

export const INTERVALS_S: readonly number[] = [1, 5, 15, 60, 300, 900, 3600, 86_400];

/** Bars are kept this far back; older ones fall out. */
const MAX_CANDLES = 1000;

/** Builds the bars of one symbol from prices, or from shorter bars, in the order they were made. */
export class CandleBuilder {
  readonly candles: Candle[] = [];
  private readonly count = new Count();

  constructor(readonly interval_s: number, private readonly most = MAX_CANDLES) {}

  /** The bar that changed, or undefined where `trade` is older than the newest bar: it changes nothing. */
  add(trade: Trade): Candle | undefined {
    const { time_ms, price } = trade;
    const volume = this.count.grown(trade);
    const last = this.candles[this.candles.length - 1];
    if (last && time_ms < last.time_s * 1000) return undefined;
    return this.fold({ time_s: time_ms / 1000, open: price, high: price, low: price, close: price, volume });
  }

  /** The bars hold all up to `trade`: what comes next is counted from there. */
  follow(trade: Trade): void {
    this.count.grown(trade);
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
      last.volume = last.volume === undefined || part.volume === undefined ? undefined : last.volume + part.volume;
      return last;
    }
    const candle = { ...part, time_s };
    this.candles.push(candle);
    if (this.candles.length > this.most) this.candles.shift();
    return candle;
  }
}

/** Symbols whose seconds are kept, and how many seconds of each. */
const MAX_BOOKED = 64;
const MAX_SECONDS = 300;

/** The last minutes of the symbols in view in bars of a second, so that a chart that is opened has a past at once. */
export class SecondBars {
  private readonly books = new BoundedMap<string, CandleBuilder>(MAX_BOOKED, () => new CandleBuilder(1, MAX_SECONDS));

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
  else if (last) builder.follow(last);
  return builder;
}
