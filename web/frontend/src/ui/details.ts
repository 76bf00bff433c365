import { CandleBuilder, INTERVALS_S, type Trade } from "../candles";
import type { PriceChart } from "../chart";
import { ageOf } from "../freshness";
import { formatAge } from "../format";
import type { TextKey } from "../i18n/en";
import type { Row } from "../store";
import type { TableContext } from "../table/context";
import { setText } from "../text";
import { button, element } from "./dom";

/** Prices kept for the chart of the open symbol. */
const MAX_TRADES = 20_000;
const FIELDS = ["bid", "ask", "open", "high", "low", "prev_close", "volume", "ext_price", "currency", "age", "source", "state"] as const;

/** One symbol in full beside the table: every field of its quote and a chart, both live. */
export class Details {
  row: Row | undefined;
  private chart: PriceChart | undefined;
  private builder = new CandleBuilder(5);
  private trades: Trade[] = [];
  private readonly values = new Map<string, HTMLElement>();
  private readonly price = element("span", { class: "price" });
  private readonly change = element("span", { class: "change" });
  private readonly plot = element("div", { class: "plot" });

  /** `closed`: hands the focus back; `changed`: another symbol is open, or none. */
  constructor(private readonly root: HTMLElement, private readonly context: TableContext, private readonly closed: (row: Row) => void, private readonly changed: () => void) {
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  open(row: Row): void {
    this.chart?.remove();
    this.chart = undefined;
    this.row = row;
    const step_ms = this.context.sparks.step_ms(row.symbol);
    this.trades = this.context.sparks.points(row.symbol).map(({ bucket, price }) => ({ time_ms: bucket * step_ms, price, volume: undefined }));
    this.build(row);
    this.rebuild();
    this.paint();
    this.changed();
    void this.draw(row);
  }

  close(): void {
    const row = this.row;
    if (!row) return;
    this.row = undefined;
    this.chart?.remove();
    this.chart = undefined;
    this.root.hidden = true;
    this.changed();
    this.closed(row);
  }

  /** The open row's quote is news. */
  update(): void {
    const quote = this.row?.quote;
    if (!quote) return;
    const trade = { time_ms: quote.received_time, price: quote.price, volume: quote.volume };
    this.trades.push(trade);
    if (this.trades.length > MAX_TRADES) this.trades.splice(0, MAX_TRADES / 2);
    const candle = this.builder.add(trade);
    if (candle) this.chart?.update(candle);
    this.paint();
  }

  /** Texts anew: the price, the age, or what may be said of them changed. */
  paint(): void {
    const row = this.row;
    if (!row) return;
    const { format, texts } = this.context;
    const quote = row.quote;
    const state = this.context.state(row);
    this.root.dataset.state = state;
    this.change.dataset.sign = !quote?.change ? "flat" : quote.change > 0 ? "up" : "down";
    setText(this.price, quote ? format.price(quote.price, row.decimals) : "–");
    setText(this.change, [format.change(quote?.change, row.decimals), format.percent(quote?.change_pct)].filter(Boolean).join("  "));
    for (const field of FIELDS) {
      const value = this.values.get(field);
      if (value) setText(value, this.value(row, field) || "–");
    }
    const word = this.values.get("state");
    if (word) setText(word, texts.say(`state.${state}`));
  }

  recolour(): void {
    this.chart?.recolour();
    if (this.chart) this.chart.setCandles(this.builder.candles);
  }

  private value(row: Row, field: (typeof FIELDS)[number]): string {
    const { format } = this.context;
    const quote = row.quote;
    if (!quote) return "";
    switch (field) {
      case "age": return `${formatAge(ageOf(quote, this.context.serverNow()))} · ${format.time(quote.quote_time ?? quote.received_time)}`;
      case "source": return [quote.source, quote.kind, quote.origin].filter(Boolean).join(" · ");
      case "state": return "";
      case "currency": return quote.currency ?? row.info.currency ?? "";
      case "volume": return format.volume(quote.volume);
      case "ext_price": return [format.price(quote.ext_price, row.decimals), format.percent(quote.ext_change_pct)].filter(Boolean).join("  ");
      default: return format.price(quote[field], row.decimals);
    }
  }

  private build(row: Row): void {
    const { texts } = this.context;
    const heading = element("h2", { tabindex: "-1" }, row.symbol);
    const dismiss = button("✕", () => this.close(), { class: "dismiss", "aria-label": texts.say("details.close"), title: texts.say("details.close") });
    const list = element("dl", {});
    this.values.clear();
    for (const field of FIELDS) {
      const value = element("dd", {});
      this.values.set(field, value);
      list.append(element("div", {}, element("dt", {}, texts.say(`column.${field}` as TextKey)), value));
    }
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", texts.say("details.chart", { symbol: row.symbol }));
    this.root.setAttribute("aria-label", texts.say("details.label", { symbol: row.symbol }));
    this.root.replaceChildren(
      element("div", { class: "head" }, heading, element("span", { class: "name" }, row.info.name ?? ""), dismiss),
      element("div", { class: "figures" }, this.price, this.change),
      this.intervals(), this.plot, list,
      ...(row.info.error ? [element("p", { class: "error" }, row.info.error)] : []),
    );
    this.root.hidden = false;
    heading.focus();
  }

  private intervals(): HTMLElement {
    const bar = element("div", { class: "intervals", role: "group", "aria-label": this.context.texts.say("details.interval") });
    for (const interval_s of INTERVALS_S) {
      const choice = button(intervalName(interval_s), () => {
        this.builder = new CandleBuilder(interval_s);
        this.rebuild();
        for (const other of bar.children) other.setAttribute("aria-pressed", String(other === choice));
      }, { "aria-pressed": String(interval_s === this.builder.interval_s) });
      bar.append(choice);
    }
    return bar;
  }

  private rebuild(): void {
    this.builder = new CandleBuilder(this.builder.interval_s);
    for (const trade of this.trades) this.builder.add(trade);
    this.chart?.setCandles(this.builder.candles);
  }

  private async draw(row: Row): Promise<void> {
    const { PriceChart } = await import("../chart");
    if (this.row !== row || this.chart) return; // closed, or another one opened, while it was loading
    const { format } = this.context;
    this.chart = new PriceChart(this.plot, { locale: format.locale, decimals: row.decimals, time: (epoch_ms) => format.time(epoch_ms) });
    this.chart.setCandles(this.builder.candles);
  }
}

function intervalName(interval_s: number): string {
  if (interval_s < 60) return `${interval_s}s`;
  if (interval_s < 3600) return `${interval_s / 60}m`;
  return interval_s < 86_400 ? `${interval_s / 3600}h` : "1d";
}
