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

/** Builds the bars of one symbol from prices in the order they were made. */
export class CandleBuilder {
  readonly candles: Candle[] = [];
  private volume: number | undefined;

  constructor(readonly interval_s: number) {}

  /** The bar that changed, or undefined where `trade` is older than the newest bar: it changes nothing. */
  add(trade: Trade): Candle | undefined {
    const time_s = Math.floor(trade.time_ms / 1000 / this.interval_s) * this.interval_s;
    const last = this.candles[this.candles.length - 1];
    if (last && time_s < last.time_s) return undefined;
    const traded = this.traded(trade.volume);
    if (last && last.time_s === time_s) {
      last.high = Math.max(last.high, trade.price);
      last.low = Math.min(last.low, trade.price);
      last.close = trade.price;
      last.volume += traded;
      return last;
    }
    const candle: Candle = { time_s, open: trade.price, high: trade.price, low: trade.price, close: trade.price, volume: traded };
    this.candles.push(candle);
    if (this.candles.length > MAX_CANDLES) this.candles.shift();
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
