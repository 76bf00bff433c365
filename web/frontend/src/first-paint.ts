import { PriceHistory } from "./history/price-history";
import { pickLanguage, pickLocale, Texts } from "./i18n/texts";
import { decimalsFor, Formatter } from "./model/format";
import { ServerClock } from "./model/server-clock";
import type { Row } from "./model/store";
import { showTruth, truthOf } from "./model/truth";
import type { Quote, SymbolInfo } from "./model/wire";
import { browserStorage } from "./net/storage";
import { judged, quietly, type RowCall } from "./table/cells";
import { firstColumns, measuresOf, type FirstColumn } from "./table/columns";
import type { TableContext } from "./table/context";
import { Widths, type Widened } from "./table/widths";
import { ConnectionChip } from "./ui/connection-chip";
import { byId, element } from "./ui/dom";
import type { Face } from "./view/face";
import { Flasher } from "./view/flash";
import { layoutOf, NARROW, ROW_HEIGHTS, type Layout } from "./view/layout";
import { chosenColumns, colour, loadPrefs } from "./view/prefs";
import { passes, type View } from "./view/view";

/** Decimal points are aligned as far as this many digits. */
export const MOST_ALIGNED = 4;

/** What the server knew when it sent the document: `docs/page.md`, "Before the table is there". */
export interface FirstRows {
  epoch: string;
  server_time: number;
  symbols: readonly SymbolInfo[];
  quotes: readonly Quote[];
}

/** The rows that came with the document. None where reading needs a token, or there is no price yet, or this is a kept copy. */
export function readFirstRows(): FirstRows | undefined {
  const text = document.getElementById("first-rows")?.textContent?.trim();
  return text ? JSON.parse(text) as FirstRows : undefined;
}

const TICK_MS = 1000;

/**
 * Shows the first rows while the table's code is on its way: the same cells in the same places, all of them prices that nobody vouches
 * for. Nothing in it can be reached or changed; the table takes its place (`remove`).
 */
export class FirstTable {
  private readonly root = element("div", { class: "first table", "aria-hidden": "true", inert: "" });
  private ticking: number | undefined;

  constructor(face: Face, view: View, first: FirstRows) {
    const prefs = loadPrefs(browserStorage("localStorage"), navigator.languages);
    colour(prefs);
    document.body.dataset.face = face.kind;
    const texts = new Texts(prefs.language ?? pickLanguage(navigator.languages));
    new ConnectionChip(byId("connection")).show("recovering", Infinity, "connecting", texts);
    const layout = layoutOf(face, matchMedia(NARROW).matches);
    const chosen = chosenColumns(prefs, face, layout);
    const columns = firstColumns(texts, layout, chosen);
    if (!columns || view.sort.length > 0) return; // sorted: what comes first is not known yet
    const passing = rowsOf(first).filter((row) => passes(row.info, view, face.symbols));
    const rows = passing.slice(0, Math.ceil(innerHeight / ROW_HEIGHTS[layout]));
    const context = contextOf(first, layout, texts, Math.min(MOST_ALIGNED, Math.max(0, ...rows.map((row) => row.decimals))));
    this.root.dataset.layout = layout;
    this.root.style.setProperty("--fraction", String(context.fraction));
    document.querySelector(".stage")?.append(this.root);
    context.widths.begin(this.root, layout, measuresOf(texts, layout), this.widened(columns));
    context.widths.chosen(chosen);
    const lines = rows.map((row) => new RowLine(row, columns, context));
    this.root.append(headOf(columns), ...lines.map((line) => line.root));
    context.widths.settle();
    this.ticking = window.setInterval(() => lines.forEach((line) => line.paint("age")), TICK_MS);
  }

  /** The tracks of the rows' grid follow what stands in them. */
  private widened(columns: readonly FirstColumn[]): Widened {
    const shown = new Map<string, number>(columns.map(({ column, width_px }) => [column.id, width_px]));
    const give = (wanted: ReadonlyMap<string, number>): void => {
      for (const [id, width_px] of wanted) shown.set(id, width_px);
      const tracks = columns.map(({ column, least_px }) => (least_px === undefined ? `${shown.get(column.id)}px` : `minmax(${least_px}px, 1fr)`));
      this.root.style.setProperty("--columns", tracks.join(" "));
    };
    give(shown);
    return { give, shown: () => shown, available_px: () => this.root.clientWidth };
  }

  remove(): void {
    clearInterval(this.ticking);
    this.root.remove();
  }
}

function rowsOf({ epoch, symbols, quotes }: FirstRows): Row[] {
  const bySymbol = new Map(quotes.map((quote) => [quote.symbol, quote]));
  return symbols.map((info) => {
    const quote = bySymbol.get(info.symbol);
    return {
      symbol: info.symbol, info, quote, epoch, decimals: decimalsFor(quote?.price, info.decimals, 0), generation: 0, painted: undefined, move: 0,
      arrived_ms: 0,
    };
  });
}

function contextOf(first: FirstRows, layout: Layout, texts: Texts, fraction: number): TableContext {
  const clock = new ServerClock();
  clock.sample(first.server_time, arrived_ms());
  const serverNow = (): number => clock.at(Date.now());
  const read = (): Promise<never> => new Promise(() => undefined);
  return {
    texts, layout, fraction, serverNow, read, pointable: false, widths: new Widths(), format: new Formatter(pickLocale(texts.language, navigator.languages)),
    flasher: new Flasher({ setTimer: () => undefined }), history: new PriceHistory(read, serverNow, () => undefined),
    truth: (row) => truthOf(row, { generation: 0, connection: "recovering", feeds: new Map(), server_ms: serverNow() }),
  };
}

/** When the document came, epoch ms. */
function arrived_ms(): number {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return navigation?.responseStart ? performance.timeOrigin + navigation.responseStart : Date.now();
}

function headOf(columns: readonly FirstColumn[]): HTMLElement {
  return element("div", { class: "head" }, ...columns.map(({ column, title, number }) =>
    element("div", { class: number ? "ag-header-cell number" : "ag-header-cell", "col-id": column.id }, title)));
}

/** One row: its cells never change but for the age. */
class RowLine {
  readonly root = element("div", { class: "line" });
  private readonly cells = new Map<string, (call: RowCall) => void>();

  constructor(private readonly row: Row, columns: readonly FirstColumn[], private readonly context: TableContext) {
    const call = judged(row, quietly(context));
    for (const { column, width_px } of columns) {
      const room = context.widths.room(column.id);
      room.width_px = width_px;
      const cell = element("div", { class: "cell" });
      showTruth(cell, call.truth);
      column.painter.build?.(cell);
      const paint = (now: RowCall): void => column.painter.paint(cell, row, now, room);
      this.cells.set(column.id, paint);
      paint(call);
      this.root.append(element("div", { "col-id": column.id }, cell));
    }
  }

  paint(id: string): void {
    this.cells.get(id)?.(judged(this.row, quietly(this.context)));
  }
}
