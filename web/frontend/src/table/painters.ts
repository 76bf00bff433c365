import { formatAge } from "../format";
import { sparkPath, SPARK_HEIGHT, SPARK_WIDTH } from "../spark";
import type { Row } from "../store";
import { names, type Quote } from "../wire";
import { setText, setTitle } from "../text";
import { explanation, markedWords, shortWords } from "../truth";
import type { CellPainter, RowCall } from "./cells";
import type { Layout } from "./columns";
import { digitsWidth, FONT_PX, mostWidth, PADDING_PX, setCut } from "./room";

type NumberField = "bid" | "ask" | "open" | "high" | "low" | "prev_close" | "ext_price";

function span(root: HTMLElement, className: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = className;
  root.append(element);
  return element;
}

/** A text in a cell `width_px` wide, cut off only where it may not fit. */
function setTextWithin(element: Element, text: string, layout: Layout, width_px: number): void {
  setText(element, text);
  setCut(element, mostWidth(text, FONT_PX[layout].main) > width_px - PADDING_PX);
}

/** A number, so far from the cell's right edge that decimal points stand under one another: see `--decimals` in the style sheet. */
function paintNumber(root: HTMLElement, row: Row, text: string, node: Element = root): void {
  setText(node, text);
  const decimals = String(row.decimals);
  if (root.dataset.decimals === decimals) return;
  root.dataset.decimals = decimals;
  root.style.setProperty("--decimals", String(alignedAt(row)));
}

/** The digits after a number's point; without a point it is half a digit shorter still. */
function alignedAt(row: Row): number {
  return row.decimals === 0 ? -0.5 : row.decimals;
}

function buildNumber(root: HTMLElement): void {
  root.classList.add("number");
}

function direction(root: HTMLElement, value: number | undefined): void {
  const sign = value === undefined || value === 0 ? "flat" : value > 0 ? "up" : "down";
  if (root.dataset.sign !== sign) root.dataset.sign = sign;
}

/** The first column keeps away from the edge of the page by so much more than others from one another. */
const SYMBOL_INDENT_PX = 7;

/** The symbol. Where there is no column for the state or the name, a second line has them. */
export const symbolPainter: CellPainter = {
  build(root) {
    root.classList.add("symbol");
    span(root, "main");
    span(root, "sub");
  },
  paint(root, row, { context, truth }, width_px) {
    const [main, sub] = root.children;
    if (!main || !sub) return;
    setTextWithin(main, row.symbol, context.layout, width_px - SYMBOL_INDENT_PX);
    setTitle(root, lines(row.info.name ?? row.symbol, explanation(truth, context.texts)));
    if (context.layout === "wide") return;
    const words = truth.word === "fresh" ? "" : markedWords(truth, context.texts);
    setText(sub, [words, context.layout === "narrow" ? row.info.name ?? "" : ""].filter(Boolean).join(" · "));
  },
};

function lines(...texts: string[]): string {
  return texts.filter(Boolean).join("\n");
}

export const namePainter: CellPainter = {
  paint(root, row, { context }, width_px) {
    setTextWithin(root, row.info.name ?? "", context.layout, width_px);
    setTitle(root, row.info.name ?? "");
  },
};

/** The arrow's place, and what is between it, the price and the move. */
const ARROW_PX = 23;

/** The price; in a flash also the arrow, the sign and the size of the move. The arrow stays until the next move. */
export const pricePainter: CellPainter = {
  build(root) {
    root.classList.add("price");
    span(root, "value");
    span(root, "arrow");
    span(root, "move");
  },
  paint(root, row, call, width_px) {
    const { format, layout } = call.context;
    const [value, arrow, move] = root.children;
    if (!value || !arrow || !move) return;
    const price = row.quote?.price;
    const priceText = format.price(price, row.decimals);
    paintNumber(root, row, priceText, value);
    if (price === undefined) {
      setText(arrow, call.truth.reason && call.truth.mark); // a symbol that is new has no price for a moment: only trouble is marked
      setTitle(root, explanation(call.truth, call.context.texts));
      return;
    }
    const before = row.painted;
    if (before && before.generation === row.generation && before.price !== price) {
      row.move = price - before.price;
      if (call.flash && call.truth.live) call.context.flasher.flash(root, row.move, call.now_ms);
    } else if (before && before.generation !== row.generation) {
      row.move = 0; // the first price after a reconnect is no move
    }
    direction(root, row.move);
    setText(arrow, call.truth.mark || (row.move === 0 ? "" : row.move > 0 ? "▲" : "▼"));
    const extended = extendedText(row, call);
    const moveText = extended || (row.move === 0 ? "" : format.change(row.move, row.decimals));
    setText(move, moveText);
    const font = FONT_PX[layout];
    const needed_px = mostWidth(priceText, font.main) + digitsWidth(call.context.fraction - alignedAt(row), font.main) + mostWidth(moveText, font.beside);
    setCut(move, needed_px > width_px - PADDING_PX - ARROW_PX);
    if (("extended" in root.dataset) !== (extended !== "")) root.toggleAttribute("data-extended", extended !== "");
    setTitle(root, lines(extended && `${extended} ${format.percent(row.quote?.ext_change_pct)}`, explanation(call.truth, call.context.texts)));
    row.painted = { price, generation: row.generation };
  },
};

/** The price outside regular hours with its session's name, for the place beside the regular price; empty where there is none. */
function extendedText(row: Row, { context: { format, texts } }: RowCall): string {
  const quote = row.quote;
  if (quote?.ext_price === undefined || quote.session === "regular") return "";
  const session = quote.session ? `${texts.say(`session.${quote.session}.short`)} ` : "";
  return session + format.price(quote.ext_price, row.decimals);
}

export function numberPainter(field: NumberField): CellPainter {
  return {
    build: buildNumber,
    paint(root, row, call) {
      paintNumber(root, row, call.context.format.price(row.quote?.[field], row.decimals));
    },
  };
}

/** The price outside regular hours, beside the regular one, with its session in words. */
export const extendedPainter: CellPainter = {
  build(root) {
    root.classList.add("extended");
    span(root, "note");
    span(root, "value");
  },
  paint(root, row, call) {
    const { format, texts } = call.context;
    const [note, value] = root.children;
    const quote = row.quote;
    if (!note || !value) return;
    const has = quote?.ext_price !== undefined;
    setText(note, has ? format.percent(quote.ext_change_pct) : "");
    paintNumber(root, row, has ? format.price(quote.ext_price, row.decimals) : "", value);
    setTitle(root, has && quote.session ? texts.say(`session.${quote.session}`) : "");
  },
};

export const changePainter: CellPainter = {
  build: buildNumber,
  paint(root, row, call) {
    const change = row.quote?.change;
    direction(root, change);
    paintNumber(root, row, call.context.format.change(change, row.decimals));
  },
};

export const percentPainter: CellPainter = {
  paint(root, row, call) {
    root.classList.add("number");
    direction(root, row.quote?.change_pct);
    setText(root, call.context.format.percent(row.quote?.change_pct));
  },
};

export const volumePainter: CellPainter = {
  build: buildNumber,
  paint(root, row, call) {
    if (call.news) return; // it grows with every trade, and is read now and then: once a second is enough
    setText(root, call.context.format.volume(row.quote?.volume));
  },
};

export const currencyPainter: CellPainter = {
  paint(root, row) {
    setText(root, row.quote?.currency ?? row.info.currency ?? "");
  },
};

export const agePainter: CellPainter = {
  paint(root, row, call) {
    root.classList.add("number");
    setText(root, call.truth.age_ms === undefined ? "" : formatAge(call.truth.age_ms));
    if (!call.news) setTitle(root, row.quote ? ageTitle(row.quote, call) : "");
  },
};

function ageTitle(quote: Quote, { context: { format, texts, serverNow } }: RowCall): string {
  const now_ms = serverNow();
  const received = format.stamp(quote.received_time, now_ms);
  return quote.quote_time === undefined
    ? texts.say("age.received", { received })
    : texts.say("age.title", { made: format.stamp(quote.quote_time, now_ms), received });
}

export const sourcePainter: CellPainter = {
  paint(root, row, { context }, width_px) {
    const quote = row.quote;
    const source = quote ? quote.source : names(row.info.feed).join(", ");
    setTextWithin(root, source, context.layout, width_px);
    setTitle(root, quote ? [quote.kind, quote.origin].filter(Boolean).join(" · ") : "");
  },
};

/** In the column of the state what is fresh has a sign too; and a price that holds although something is wrong with a source, another one. */
const FRESH_MARK = "●";
const TROUBLE_MARK = "!";

/** A mark (written by the style sheet, so that it is not read out) and a word; the reason, or the session, in the title. */
export const statePainter: CellPainter = {
  paint(root, row, { context: { texts }, truth }) {
    const mark = truth.mark || FRESH_MARK;
    if (root.dataset.mark !== mark) root.dataset.mark = mark;
    setText(root, shortWords(truth, texts) + (truth.reason && !truth.doubtful ? ` ${TROUBLE_MARK}` : ""));
    const session = row.quote?.session;
    setTitle(root, lines(explanation(truth, texts), session ? texts.say(`session.${session}`) : ""));
  },
};

const SVG = "http://www.w3.org/2000/svg";

export const sparkPainter: CellPainter = {
  build(root) {
    root.classList.add("spark");
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS(SVG, "path"));
    root.append(svg);
  },
  paint(root, row, { context, news }) {
    if (news) return; // an hour does not look different for one more price: now and then is enough
    const path = root.firstElementChild?.firstElementChild;
    const points = context.past.sparks.points(row.symbol);
    const line = sparkPath(points, row.quote?.price);
    if (path && path.getAttribute("d") !== line) path.setAttribute("d", line);
    direction(root, row.quote?.change);
    const first = points[0];
    const now_ms = context.serverNow();
    setTitle(root, first ? context.texts.say("spark.since", { time: context.format.stamp(first.time_ms, now_ms) }) : "");
  },
};
