/** The chart of the row details. Loaded when first asked for: it is a fifth of the page's weight. */
import {
  CandlestickSeries, createChart, HistogramSeries, LineStyle, TickMarkType,
  type HistogramData, type IChartApi, type ISeriesApi, type UTCTimestamp, type WhitespaceData,
} from "lightweight-charts";
import type { Formatter } from "../model/format";
import type { Truth } from "../model/truth";
import type { Candle } from "./candles";

/** With fewer bars than this the chart is filled with what there is; with more it follows the newest. */
const FEW_CANDLES = 40;

/** Candles with their volume beneath, a price line and a cross-hair. Colours are the page's own. */
export class PriceChart {
  private readonly chart: IChartApi;
  private readonly prices: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;

  private interval_s = 60;
  private hasVolumes = true;
  private truth: Truth | undefined;

  /** Numbers have `decimals` digits after the point; times and numbers are written by `format`, as in the rest of the page. */
  constructor(private readonly container: HTMLElement, private readonly format: Formatter, decimals: number) {
    this.chart = createChart(container, {
      autoSize: true,
      // The logo is a link with styles of its own, which the policy refuses; the library is credited in the view menu.
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 },
      localization: {
        locale: format.locale,
        timeFormatter: (time: UTCTimestamp) => format.moment(time * 1000),
        priceFormatter: (price: number) => format.price(price, decimals),
      },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.24 } },
      timeScale: { borderVisible: false, timeVisible: true, rightOffset: 3, tickMarkFormatter: (time: UTCTimestamp, type: TickMarkType) => this.tick(time * 1000, type) },
    });
    this.prices = this.chart.addSeries(CandlestickSeries, {
      borderVisible: false, priceLineStyle: LineStyle.Dotted,
      priceFormat: { type: "price", precision: decimals, minMove: 10 ** -decimals },
    });
    this.volumes = this.chart.addSeries(HistogramSeries, { priceScaleId: "", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.recolour();
  }

  /** How long a bar is, seconds: it decides what stands beneath it. */
  setInterval(interval_s: number): void {
    this.interval_s = interval_s;
  }

  /** All bars anew, e.g. of another interval. */
  setCandles(candles: readonly Candle[]): void {
    this.prices.setData(candles.map(bar));
    this.volumes.setData(candles.map((candle) => this.volume(candle)));
    this.makeRoom(candles.some(({ volume }) => volume !== undefined));
    if (candles.length < FEW_CANDLES) this.chart.timeScale().setVisibleLogicalRange({ from: candles.length - FEW_CANDLES, to: candles.length + 2 });
    else this.chart.timeScale().scrollToRealTime();
  }

  /** The newest bar changed, or a new one began. */
  update(candle: Candle): void {
    this.prices.update(bar(candle));
    this.volumes.update(this.volume(candle));
    if (candle.volume !== undefined) this.makeRoom(true);
  }

  /** How true the newest price is: a doubtful one has a grey label, and whatever is not fresh its sign beside it. */
  judge(truth: Truth): void {
    if (this.truth?.mark === truth.mark && this.truth.doubtful === truth.doubtful) return;
    this.truth = truth;
    this.colourLabel();
  }

  /** The theme or the palette changed. */
  recolour(): void {
    const [up, down, muted, line] = [this.colour("--up"), this.colour("--down"), this.colour("--muted"), this.colour("--line")];
    this.chart.applyOptions({
      layout: { background: { color: "transparent" }, textColor: muted },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: { vertLine: { color: muted, labelBackgroundColor: muted }, horzLine: { color: muted, labelBackgroundColor: muted } },
    });
    this.prices.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    this.colourLabel();
  }

  remove(): void {
    this.chart.remove();
  }

  /** Without a colour of its own the last price has that of its bar. */
  private colourLabel(): void {
    this.prices.applyOptions({ title: this.truth?.mark ?? "", priceLineColor: this.truth?.doubtful ? this.colour("--muted") : "" });
  }

  /** Where a day begins, its date stands. */
  private tick(epoch_ms: number, type: TickMarkType): string {
    if (this.interval_s >= 86_400 || type <= TickMarkType.DayOfMonth) return this.format.day(epoch_ms);
    return this.interval_s < 60 ? this.format.time(epoch_ms) : this.format.minute(epoch_ms);
  }

  /** Volumes stand beneath the prices where there are any; else prices have that room. */
  private makeRoom(hasVolumes: boolean): void {
    if (this.hasVolumes === hasVolumes) return;
    this.hasVolumes = hasVolumes;
    this.volumes.applyOptions({ visible: hasVolumes });
    this.prices.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: hasVolumes ? 0.24 : 0.08 } });
  }

  private volume(candle: Candle): HistogramData<UTCTimestamp> | WhitespaceData<UTCTimestamp> {
    if (candle.volume === undefined) return { time: candle.time_s as UTCTimestamp };
    return { time: candle.time_s as UTCTimestamp, value: candle.volume, color: this.colour(candle.close >= candle.open ? "--up-glow" : "--down-glow") };
  }

  /** A custom property's value, followed through the properties it is made of. */
  private colour(property: string): string {
    return getComputedStyle(this.container).getPropertyValue(property).trim();
  }
}

function bar(candle: Candle): { time: UTCTimestamp; open: number; high: number; low: number; close: number } {
  return { time: candle.time_s as UTCTimestamp, open: candle.open, high: candle.high, low: candle.low, close: candle.close };
}
