import { ageOf } from "../freshness";
import { formatAge } from "../format";
import type { TextKey } from "../i18n/en";
import type { Row } from "../store";
import type { TableContext } from "../table/context";
import { setText } from "../text";
import type { Quote } from "../wire";
import { button, element } from "./dom";
import { Plot } from "./plot";

const FIELDS = ["bid", "ask", "open", "high", "low", "prev_close", "volume", "currency", "ext_price", "source", "age", "state"] as const;
/** Those whose values are long have a line of their own. */
const LONG: ReadonlySet<string> = new Set(["ext_price", "source", "age", "state"]);

export interface DetailsActions {
  /** Hands the focus back. */
  closed(row: Row): void;
  /** Another symbol is open, or none. */
  changed(): void;
  /** The open symbol's price, in a sentence, for a reader who can't see it. */
  spoken(sentence: () => string): void;
}

/** One symbol in full beside the table: every field of its quote and a chart, both live. */
export class Details {
  row: Row | undefined;
  private readonly plot: Plot;
  private readonly values = new Map<string, HTMLElement>();
  private readonly price = element("span", { class: "price" });
  private readonly change = element("span", { class: "change" });

  constructor(private readonly root: HTMLElement, private readonly context: TableContext, private readonly actions: DetailsActions) {
    this.plot = new Plot(context);
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  open(row: Row): void {
    this.row = row;
    this.plot.open(row);
    this.build(row).focus();
    this.actions.changed();
  }

  close(): void {
    const row = this.row;
    if (!row) return;
    this.row = undefined;
    this.plot.close();
    this.root.hidden = true;
    this.actions.changed();
    this.actions.closed(row);
  }

  /** `quote` is news; of the open row it goes into the chart. */
  take(quote: Quote): void {
    if (quote.symbol === this.row?.symbol) this.plot.take(quote);
  }

  /** The price changed: paint it, and say it. */
  update(): void {
    const row = this.row;
    this.paint();
    if (row) this.actions.spoken(() => this.sentence(row));
  }

  /** Texts anew: the price, the age, or what may be said of them changed. */
  paint(): void {
    const row = this.row;
    if (!row) return;
    const { format } = this.context;
    const quote = row.quote;
    this.root.dataset.state = this.context.state(row);
    this.change.dataset.sign = !quote?.change ? "flat" : quote.change > 0 ? "up" : "down";
    setText(this.price, quote ? format.price(quote.price, row.decimals) : "–");
    setText(this.change, [format.change(quote?.change, row.decimals), format.percent(quote?.change_pct)].filter(Boolean).join("  "));
    for (const [field, value] of this.values) setText(value, this.value(row, field as (typeof FIELDS)[number]) || "–");
  }

  recolour(): void {
    this.plot.recolour();
  }

  /** The language changed. */
  relabel(): void {
    if (!this.row) return;
    this.plot.relabel();
    this.build(this.row);
  }

  private value(row: Row, field: (typeof FIELDS)[number]): string {
    const { format, texts } = this.context;
    const quote = row.quote;
    if (field === "state") return this.state(row);
    if (!quote) return "";
    switch (field) {
      case "age": return `${formatAge(ageOf(quote, this.context.serverNow()))} · ${format.time(quote.quote_time ?? quote.received_time)}`;
      case "source": return [quote.source, quote.kind, quote.origin].filter(Boolean).join(" · ");
      case "currency": return quote.currency ?? row.info.currency ?? "";
      case "volume": return format.volume(quote.volume);
      case "ext_price": {
        const session = quote.ext_price !== undefined && quote.session ? texts.say(`session.${quote.session}`) : "";
        return [format.price(quote.ext_price, row.decimals), format.percent(quote.ext_change_pct), session].filter(Boolean).join("  ");
      }
      default: return format.price(quote[field], row.decimals);
    }
  }

  /** The state, and after how much silence it becomes stale: a limit that may be learnt from the source's rhythm. */
  private state(row: Row): string {
    const { texts } = this.context;
    const limit_s = row.info.stale_after_s;
    const word = texts.say(`state.${this.context.state(row)}`);
    return limit_s ? `${word} · ${texts.say("details.stale_after", { limit: formatAge(limit_s * 1000) })}` : word;
  }

  private sentence(row: Row): string {
    const { format, texts } = this.context;
    const state = this.context.state(row);
    const price = format.price(row.quote?.price, row.decimals);
    return [row.symbol, price, format.percent(row.quote?.change_pct), state === "fresh" ? "" : texts.say(`state.${state}`)].filter(Boolean).join(", ");
  }

  /** Builds the panel and returns its heading. */
  private build(row: Row): HTMLElement {
    const { texts } = this.context;
    const heading = element("h2", { tabindex: "-1" }, row.symbol);
    const dismiss = button("✕", () => this.close(), { class: "dismiss", "aria-label": texts.say("details.close"), title: texts.say("details.close") });
    const list = element("dl", {});
    this.values.clear();
    for (const field of FIELDS) {
      const value = element("dd", {});
      this.values.set(field, value);
      list.append(element("div", LONG.has(field) ? { class: "wide" } : {}, element("dt", {}, texts.say(`column.${field}` as TextKey)), value));
    }
    this.root.setAttribute("aria-label", texts.say("details.label", { symbol: row.symbol }));
    this.root.replaceChildren(
      element("div", { class: "head" }, heading, element("span", { class: "name" }, row.info.name ?? ""), dismiss),
      element("div", { class: "figures" }, this.price, this.change),
      this.plot.intervals, this.plot.plot, list,
      ...(row.info.error ? [element("p", { class: "error" }, row.info.error)] : []),
    );
    this.root.hidden = false;
    this.paint();
    return heading;
  }
}
