import { sparkPath, SPARK_HEIGHT, SPARK_WIDTH } from "../history/sparklines";
import { formatAge } from "../model/format";
import type { Row } from "../model/store";
import { explanation, markedWords, shortWords } from "../model/truth";
import { names, type Quote } from "../model/wire";
import { setText, setTitle } from "../view/set-text";
import type { CellPainter, PaintCall, RowCall } from "./cells";
import { NO_ROOM, paintEdged, paintNumber, paintWord, priceOf, setTextWithin, titleWhole } from "./paint-text";

type NumbersOf<T> = { [Name in keyof T]-?: NonNullable<T[Name]> extends number ? Name : never }[keyof T];
/** A field of a quote that is a number. */
export type NumberField = NumbersOf<Quote>;

function span(root: HTMLElement, className: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = className;
  root.append(element);
  return element;
}

function buildNumber(root: HTMLElement): void {
  root.classList.add("number");
}

/** A number at its cell's edge, which is not aligned with others by its point. */
function buildEdged(root: HTMLElement): void {
  root.classList.add("number", "edged");
}

function direction(root: HTMLElement, value: number | undefined): void {
  const sign = value === undefined || value === 0 ? "flat" : value > 0 ? "up" : "down";
  if (root.dataset.sign !== sign) root.dataset.sign = sign;
}

/** The symbol. Where there is no column for the state or the name, a second line has them. */
export const symbolPainter: CellPainter = {
  build(root) {
    root.classList.add("symbol");
    span(root, "main");
    span(root, "sub").dir = "auto";
  },
  paint(root, row, { context, truth }, room) {
    const [main, sub] = root.children;
    if (!main || !sub) return;
    setTextWithin(main, row.symbol, context.layout, room);
    setTitle(root, lines(row.info.name ?? row.symbol, explanation(truth, context.texts)));
    if (context.layout === "wide") return;
    const words = truth.word === "fresh" ? "" : markedWords(truth, context.texts);
    setText(sub, [words, context.layout === "narrow" ? row.info.name ?? "" : ""].filter(Boolean).join(" · "));
  },
};

function lines(...texts: string[]): string {
  return texts.filter(Boolean).join("\n");
}

/** A name from right to left has its beginning at the right, and is cut off at the left where it has no room. */
export const namePainter: CellPainter = {
  build(root) {
    root.dir = "auto";
  },
  paint(root, row, { context }, room) {
    setTextWithin(root, row.info.name ?? "", context.layout, room);
    setTitle(root, row.info.name ?? "");
  },
};

/** Between a move and its price. */
const GAP_PX = 4;
/** A move has room for so many signs beside its decimals. The column does not grow with each move that is larger than all before it. */
const MOVE_DIGITS = 3;

/** The price; in a flash also the arrow, the sign and the size of the move, where there is room. The arrow stays until the next move. */
export const pricePainter: CellPainter = {
  build(root) {
    root.classList.add("price");
    span(root, "value");
    span(root, "arrow");
    span(root, "move");
  },
  paint(root, row, call, room) {
    const { format, layout, widths } = call.context;
    const [value, arrow, move] = root.children;
    if (!value || !arrow || !move) return;
    const price = row.quote?.price;
    const price_px = paintNumber(root, row, priceOf(price, row, call), call, room, value);
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
    const ruler = widths.rulers.beside;
    const beside_px = ruler.width(moveText) + GAP_PX;
    if (layout === "wide") room.ask(price_px + (extended ? beside_px : GAP_PX + (MOVE_DIGITS + row.decimals) * ruler.digit_px));
    const fits = (price_px + beside_px) * widths.scale <= room.free_px;
    setText(move, fits ? moveText : "");
    if (("extended" in root.dataset) !== (extended !== "")) root.toggleAttribute("data-extended", extended !== "");
    const judgement = explanation(call.truth, call.context.texts);
    if (extended || judgement || room.fixed || !call.news || root.title !== "") setTitle(root, lines(priceTitle(value, row, extended, call), judgement));
    row.painted = { price, generation: row.generation };
  },
};

/** The whole price where it is written shorter, and the price of other hours. */
function priceTitle(value: Element, row: Row, extended: string, { context: { format } }: PaintCall): string {
  const whole = format.price(row.quote?.price, row.decimals);
  return [value.textContent === whole ? "" : whole, extended && `${extended} ${format.percent(row.quote?.ext_change_pct)}`].filter(Boolean).join(" · ");
}

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
    paint(root, row, call, room) {
      paintNumber(root, row, priceOf(row.quote?.[field], row, call), call, room);
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
  paint(root, row, call, room) {
    const { format, texts, widths } = call.context;
    const [note, value] = root.children;
    const quote = row.quote;
    if (!note || !value) return;
    const has = quote?.ext_price !== undefined;
    const noteText = has ? format.percent(quote.ext_change_pct) : "";
    const price_px = paintNumber(root, row, priceOf(quote?.ext_price, row, call), call, room, value);
    const both_px = price_px + widths.rulers.beside.width(noteText) + GAP_PX;
    if (has) room.ask(both_px);
    setText(note, room.fixed && both_px > room.free_px ? "" : noteText);
    setTitle(root, has ? [format.price(quote.ext_price, row.decimals), noteText, quote.session && texts.say(`session.${quote.session}`)].filter(Boolean).join(" · ") : "");
  },
};

export const changePainter: CellPainter = {
  build: buildNumber,
  paint(root, row, call, room) {
    const { format } = call.context;
    const change = row.quote?.change;
    direction(root, change);
    paintNumber(root, row, { text: format.change(change, row.decimals), short: () => format.shortChange(change) }, call, room);
  },
};

export function percentPainter(field: NumberField): CellPainter {
  return {
    build: buildEdged,
    paint(root, row, call, room) {
      const { format } = call.context;
      const percent = row.quote?.[field];
      direction(root, percent);
      const written = { text: format.percent(percent), short: () => `${format.shortChange(percent)}%` };
      titleWhole(root, paintEdged(root, written, call, room), written, call, room);
    },
  };
}

export const volumePainter: CellPainter = {
  build: buildEdged,
  paint(root, row, call, room) {
    if (call.news) return; // it grows with every trade, and is read now and then: once a second is enough
    const { format } = call.context;
    const volume = row.quote?.volume;
    const written = { text: format.volume(volume), short: () => format.short(volume) };
    titleWhole(root, paintEdged(root, written, call, room), written, call, room);
  },
};

/** A word that its column makes room for. */
export function wordPainter(word: (row: Row) => string | undefined): CellPainter {
  return {
    build(root) {
      root.classList.add("word");
    },
    paint(root, row, call, room) {
      paintWord(root, word(row) ?? "", call, room);
    },
  };
}

export const agePainter: CellPainter = {
  build: buildEdged,
  paint(root, row, call, room) {
    const text = call.truth.age_ms === undefined ? "" : formatAge(call.truth.age_ms);
    paintEdged(root, { text, short: () => NO_ROOM }, call, room);
    if (!call.news && call.context.pointable) setTitle(root, row.quote ? ageTitle(row.quote, call) : "");
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
  paint(root, row, { context }, room) {
    const quote = row.quote;
    const source = quote ? quote.source : names(row.info.feed).join(", ");
    setTextWithin(root, source, context.layout, room);
    setTitle(root, [source, quote?.kind, quote?.origin].filter(Boolean).join(" · "));
  },
};

/** In the column of the state what is fresh has a sign too; and a price that holds although something is wrong with a source, another one. */
const FRESH_MARK = "●";
const TROUBLE_MARK = "!";

/** A mark (written by the style sheet, so that it is not read out) and a word; the reason, or the session, in the title. */
export const statePainter: CellPainter = {
  paint(root, row, call, room) {
    const { context: { texts }, truth } = call;
    const mark = truth.mark || FRESH_MARK;
    if (root.dataset.mark !== mark) root.dataset.mark = mark;
    paintWord(root, shortWords(truth, texts) + (truth.reason && !truth.doubtful ? ` ${TROUBLE_MARK}` : ""), call, room);
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
    const points = context.history.sparks.points(row.symbol);
    const line = sparkPath(points, row.quote?.price);
    if (path && path.getAttribute("d") !== line) path.setAttribute("d", line);
    direction(root, row.quote?.change);
    const first = points[0];
    const now_ms = context.serverNow();
    setTitle(root, first ? context.texts.say("spark.since", { time: context.format.stamp(first.time_ms, now_ms) }) : "");
  },
};
