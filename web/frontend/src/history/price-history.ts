import type { Quote, VolumeOf } from "../model/wire";
import { SecondBars, tradeOf } from "./candles";
import { SparkHistory, type ReadJson } from "./server-history";
import { Sparklines } from "./sparklines";

/** What was before now, of symbols that are or were in view: an hour for the sparkline, some minutes in seconds for the chart. */
export class PriceHistory {
  readonly sparks = new Sparklines();
  readonly seconds = new SecondBars();
  private readonly history: SparkHistory;

  /** `serverNow`: the server's clock, epoch ms; `filled`: lines have grown a past. */
  constructor(read: ReadJson, serverNow: () => number, filled: () => void) {
    this.history = new SparkHistory(read, (sparklines) => {
      for (const [symbol, points] of sparklines) this.sparks.fill(symbol, points, serverNow());
      filled();
    });
  }

  /** `symbols` are in view on connection `generation`. `now_ms`: a clock that only goes forward. */
  watch(symbols: readonly string[], generation: number, now_ms: number): void {
    this.sparks.watch(symbols);
    this.seconds.watch(symbols);
    void this.history.need(symbols, generation, now_ms);
  }

  /** `quote` is news on connection `generation`; `volume_of`: what its volume counts. */
  add(quote: Quote, volume_of: VolumeOf | undefined, generation: number): void {
    this.sparks.add(quote.symbol, quote.price, quote.received_time);
    this.seconds.add(quote.symbol, tradeOf(quote, volume_of, generation));
  }

  delete(symbol: string): void {
    this.sparks.delete(symbol);
    this.seconds.delete(symbol);
  }
}
