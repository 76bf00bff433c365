import { en, type TextKey } from "../i18n/en";
import type { Texts } from "../i18n/texts";
import { formatAge } from "../model/format";
import type { Row } from "../model/store";
import { madeAt, markedWords, showTruth, type Truth, type Word } from "../model/truth";
import type { Quote } from "../model/wire";
import { DETAIL_FIELDS } from "../table/columns";
import type { TableContext } from "../table/context";
import { setText } from "../view/set-text";
import { priceSentence } from "./announcer";
import { ChartPanel } from "./chart-panel";
import { button, element } from "./dom";

type DetailField = (typeof DETAIL_FIELDS)[number];
/** Those whose values are long have a line of their own. */
const LONG: ReadonlySet<DetailField> = new Set(["ext_price", "source", "age", "state"]);

export interface DetailsActions {
  /** The focus was in the details, and goes back. */
  closed(row: Row): void;
  /** Another symbol is open, or none. */
  changed(): void;
  /** The open symbol's price, in a sentence, for a reader who can't see it. `matters`: it is another symbol, or not worth what it was. */
  spoken(sentence: () => string, matters: boolean): void;
}

/** How its prices come; a kind that a newer server knows stays as it is written. */
function kindWord(kind: string, texts: Texts): string {
  const key = `kind.${kind}`;
  return key in en ? texts.say(key as TextKey) : kind;
}

/** A text that is written the smaller the longer it is: see `--length` in the style sheet. */
function setLong(element: HTMLElement, text: string): void {
  setText(element, text);
  const length = String(text.length);
  if (element.style.getPropertyValue("--length") !== length) element.style.setProperty("--length", length);
}

/** One symbol in full beside the table: every field of its quote and a chart, both live. */
export class Details {
  row: Row | undefined;
  private readonly chart: ChartPanel;
  private readonly values = new Map<string, HTMLElement>();
  private readonly price = element("span", { class: "price" });
  private readonly change = element("span", { class: "change" });
  /** How true the price is, beside it, unless it is as good as it looks; and what is wrong, where something is. */
  private readonly truth = element("span", { class: "truth" });
  /** What was said last of which row. */
  private said: { row: Row; word: Word } | undefined;
  private readonly error = element("p", { class: "error" });

  constructor(private readonly root: HTMLElement, private readonly context: TableContext, private readonly actions: DetailsActions) {
    this.chart = new ChartPanel(context);
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** `focus`: the reader asked for it just now. */
  open(row: Row, focus = true): void {
    if (row === this.row) {
      if (focus) this.root.querySelector("h2")?.focus();
      return;
    }
    this.row = row;
    this.chart.open(row);
    const heading = this.build(row);
    if (focus) heading.focus();
    this.actions.changed();
  }

  /** `byPointer`: who closes with a mouse or a finger is not left with a focus in the rows, which would hold their order. */
  close(byPointer = false): void {
    const row = this.row;
    if (!row) return;
    const focused = this.root.contains(document.activeElement);
    this.row = undefined;
    this.said = undefined;
    this.chart.close();
    this.root.hidden = true;
    this.actions.changed();
    if (focused && !byPointer) this.actions.closed(row);
  }

  /** `quote` is news; of the open row it goes into the chart. */
  take(quote: Quote): void {
    if (quote.symbol === this.row?.symbol) this.chart.take(quote);
  }

  /** The price changed: paint it, and say it. */
  update(): void {
    this.paint();
    this.speak(false);
  }

  /** Texts anew: the price, the age, or what may be said of them changed. */
  paint(): void {
    const row = this.row;
    if (!row) return;
    const { format, texts } = this.context;
    const quote = row.quote;
    const truth = this.context.truth(row);
    showTruth(this.root, truth);
    this.chart.judge(truth);
    if (this.said?.row !== row || this.said.word !== truth.word) this.speak(true);
    setText(this.truth, truth.word === "fresh" ? "" : markedWords(truth, texts));
    setText(this.error, truth.reason && texts.say("details.reason", { reason: truth.reason }));
    this.change.dataset.sign = !quote?.change ? "flat" : quote.change > 0 ? "up" : "down";
    const changes = [format.change(quote?.change, row.decimals), format.percent(quote?.change_pct)].filter(Boolean);
    setLong(this.price, quote ? format.price(quote.price, row.decimals) : "–");
    setLong(this.change, changes.join("  "));
    for (const [field, value] of this.values) setText(value, this.value(row, truth, field as DetailField) || "–");
  }

  recolour(): void {
    this.chart.recolour();
  }

  /** The language changed. */
  relabel(): void {
    if (!this.row) return;
    this.chart.relabel();
    this.build(this.row);
  }

  private value(row: Row, truth: Truth, field: DetailField): string {
    const { format, texts } = this.context;
    const quote = row.quote;
    if (field === "state") return this.state(row, truth);
    if (!quote) return "";
    switch (field) {
      case "age": return `${formatAge(truth.age_ms ?? 0)} · ${format.stamp(madeAt(quote), this.context.serverNow())}`;
      case "source": return [quote.source, kindWord(quote.kind, texts), quote.origin].filter(Boolean).join(" · ");
      case "currency": return quote.currency ?? row.info.currency ?? "";
      case "volume": return format.volume(quote.volume);
      case "ext_price": {
        const session = quote.ext_price !== undefined && quote.session ? texts.say(`session.${quote.session}`) : "";
        return [format.price(quote.ext_price, row.decimals), format.percent(quote.ext_change_pct), session].filter(Boolean).join("  ");
      }
      default: return format.price(quote[field], row.decimals);
    }
  }

  /**
   * The state, the session, and after how much silence it becomes stale: a limit that may be learnt from the source's rhythm. No silence
   * makes stale what is halted, or has no price.
   */
  private state({ info, quote }: Row, truth: Truth): string {
    const { texts } = this.context;
    const limit_s = quote && truth.word !== "halted" && info.stale_after_s;
    const limit = limit_s ? texts.say("details.stale_after", { limit: formatAge(limit_s * 1000) }) : "";
    return [markedWords(truth, texts), quote?.session ? texts.say(`session.${quote.session}`) : "", limit].filter(Boolean).join(" · ");
  }

  private speak(matters: boolean): void {
    const row = this.row;
    if (!row) return;
    const { format, texts } = this.context;
    const truth = this.context.truth(row);
    this.said = { row, word: truth.word };
    this.actions.spoken(() => priceSentence(row, truth, format, texts), matters);
  }

  /** Builds the panel and returns its heading. */
  private build(row: Row): HTMLElement {
    const { texts } = this.context;
    const heading = element("h2", { tabindex: "-1" }, row.symbol);
    const dismiss = button("✕", ({ detail }) => this.close(detail > 0), { class: "dismiss", "aria-label": texts.say("details.close"), title: texts.say("details.close") });
    const list = element("dl", {});
    this.values.clear();
    for (const field of DETAIL_FIELDS) {
      const value = element("dd", {});
      this.values.set(field, value);
      list.append(element("div", LONG.has(field) ? { class: "wide" } : {}, element("dt", {}, texts.say(`column.${field}`)), value));
    }
    this.root.setAttribute("aria-label", texts.say("details.label", { symbol: row.symbol }));
    this.root.replaceChildren(
      element("div", { class: "head" }, heading, element("span", { class: "name", dir: "auto" }, row.info.name ?? ""), dismiss),
      element("div", { class: "figures" }, this.price, this.change, this.truth),
      this.error, this.chart.intervals, this.chart.plot, list,
    );
    this.root.hidden = false;
    this.paint();
    return heading;
  }
}
