import { CandleBuilder, chartPast, INTERVALS_S, tradeOf, type Candle } from "../history/candles";
import type { PriceChart } from "../history/chart";
import { readCandles } from "../history/server-history";
import type { Row } from "../model/store";
import { madeAt, markedWords, spokenWords, type Truth } from "../model/truth";
import type { Quote } from "../model/wire";
import type { TableContext } from "../table/context";
import { setText } from "../view/set-text";
import { button, element } from "./dom";

/** With a shorter past than this, bars of a minute say too little: until the reader chooses, there are shorter ones. */
const FEW_MINUTES = 5;

/** The chart of one symbol with its choice of intervals: the past from the server and from what was seen here, then live. */
export class ChartPanel {
  readonly plot = element("div", { class: "plot", role: "img" });
  /** In the chart's corner: what its newest price is, unless that is fresh. */
  private readonly legend = element("p", { class: "legend" });
  readonly intervals = element("div", { class: "intervals", role: "group" });
  private row: Row | undefined;
  private truth: Truth | undefined;
  private chart: PriceChart | undefined;
  private interval_s = 60;
  private chosen = false;
  private builder = new CandleBuilder(60);
  private minutes: Candle[] = [];
  /** Until when the minutes know everything, epoch seconds. */
  private known_s = 0;

  constructor(private readonly context: TableContext) {
    this.plot.append(this.legend);
  }

  open(row: Row): void {
    this.close();
    this.row = row;
    this.label(row);
    this.rebuild();
    void this.load(row);
    void this.draw(row);
  }

  close(): void {
    this.chart?.remove();
    this.chart = undefined;
    this.row = undefined;
    this.minutes = [];
  }

  /** The open row's quote is news. */
  take(quote: Quote): void {
    if (!this.row) return;
    const candle = this.builder.add(tradeOf(quote, this.row.info.volume_of, this.row.generation));
    if (candle) this.chart?.update(candle);
  }

  /** How true the newest price is: in words on the chart, and as a sign on its last price. */
  judge(truth: Truth): void {
    const { texts, format } = this.context;
    const row = this.row;
    if (!row) return;
    this.truth = truth;
    const made = row.quote ? format.stamp(madeAt(row.quote), this.context.serverNow()) : "";
    const isFresh = truth.word === "fresh";
    setText(this.legend, isFresh ? "" : [markedWords(truth, texts), made].filter(Boolean).join(" · "));
    const name = texts.say("details.chart", { symbol: row.symbol });
    const label = isFresh ? name : `${name}, ${spokenWords(truth, texts)}`;
    if (this.plot.getAttribute("aria-label") !== label) this.plot.setAttribute("aria-label", label);
    this.chart?.judge(truth);
  }

  recolour(): void {
    this.chart?.recolour();
    this.chart?.setCandles(this.builder.candles);
  }

  /** The language changed: the words, and how the chart writes times and numbers. */
  relabel(): void {
    const row = this.row;
    if (!row) return;
    this.label(row);
    this.chart?.remove();
    this.chart = undefined;
    void this.draw(row);
  }

  private label(row: Row): void {
    const { texts } = this.context;
    this.judge(this.context.truth(row));
    this.intervals.setAttribute("aria-label", texts.say("details.interval"));
    this.intervals.replaceChildren(...INTERVALS_S.map((interval_s) => {
      return button(intervalName(interval_s), () => {
        this.chosen = true;
        this.choose(interval_s);
        this.rebuild();
      }, { "aria-pressed": String(interval_s === this.interval_s) });
    }));
  }

  private choose(interval_s: number): void {
    this.interval_s = interval_s;
    [...this.intervals.children].forEach((choice, index) => choice.setAttribute("aria-pressed", String(INTERVALS_S[index] === interval_s)));
  }

  private async load(row: Row): Promise<void> {
    const minutes = await readCandles(this.context.read, row.symbol);
    if (this.row !== row) return; // closed, or another one opened, meanwhile
    this.minutes = minutes;
    this.known_s = this.context.serverNow() / 1000;
    if (!this.chosen) this.choose(minutes.length < FEW_MINUTES ? 5 : 60);
    this.rebuild();
  }

  private rebuild(): void {
    if (!this.row) return;
    const { symbol, quote, info, generation } = this.row;
    const last = quote && tradeOf(quote, info.volume_of, generation);
    this.builder = chartPast(this.interval_s, this.minutes, this.known_s, this.context.history.seconds.candles(symbol), last);
    this.chart?.setInterval(this.interval_s);
    this.chart?.setCandles(this.builder.candles);
  }

  private async draw(row: Row): Promise<void> {
    const code = await import("../history/chart").catch(() => undefined); // gone after an update, or no network
    if (!code) {
      const { texts } = this.context;
      const again = button(texts.say("code.again"), () => location.reload(), { class: "tool" });
      if (this.row === row) this.plot.replaceChildren(texts.say("code.chart"), " ", again);
      return;
    }
    if (this.row !== row || this.chart) return; // closed, or drawn already, while it was loading
    this.chart = new code.PriceChart(this.plot, this.context.format, row.decimals);
    this.chart.setInterval(this.interval_s);
    this.chart.setCandles(this.builder.candles);
    if (this.truth) this.chart.judge(this.truth);
  }
}

function intervalName(interval_s: number): string {
  if (interval_s < 60) return `${interval_s}s`;
  if (interval_s < 3600) return `${interval_s / 60}m`;
  return interval_s < 86_400 ? `${interval_s / 3600}h` : "1d";
}
