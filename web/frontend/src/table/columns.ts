import type { ColDef, ColumnState } from "ag-grid-community";
import type { TextKey } from "../i18n/en";
import type { Texts } from "../i18n/texts";
import type { Row } from "../model/store";
import { names } from "../model/wire";
import type { Layout } from "../view/layout";
import { LiveCell, type CellPainter, type CellRegistry } from "./cells";
import type { TableContext } from "./context";
import {
  agePainter, changePainter, extendedPainter, namePainter, numberPainter, percentPainter, pricePainter,
  sourcePainter, sparkPainter, statePainter, symbolPainter, volumePainter, wordPainter, type NumberField,
} from "./painters";
import { PADDING_PX } from "./text-width";
import type { ColumnMeasures } from "./widths";

type Value = string | number | undefined;

type IdOf<Key> = Key extends `column.${infer Id}` ? Id : never;
/** Each has its title in the catalogues: the compiler sees to it. */
type ColumnId = IdOf<TextKey>;

export interface Column {
  id: ColumnId;
  painter: CellPainter;
  value(row: Row, context: TableContext): Value;
  width: number;
  kind: "text" | "number";
  /** Shown unless the reader says otherwise: at a desk (`wide`), on a phone, on a screen on a wall. */
  wide: boolean;
  narrow: boolean;
}

function field(name: NumberField): (row: Row) => number | undefined {
  return (row) => row.quote?.[name];
}

/** A price beside the price. `wide`: it is shown at a desk unless the reader says otherwise. */
function priceColumn(id: ColumnId & NumberField, wide: boolean): Column {
  return { id, painter: numberPainter(id), value: field(id), width: 84, kind: "number", wide, narrow: false };
}

/** A word of a source, or of the settings. */
function wordColumn(id: ColumnId, value: (row: Row) => string | undefined, wide: boolean): Column {
  return { id, painter: wordPainter(value), value, width: 48, kind: "text", wide, narrow: false };
}

/** When the price was made, negated, so that the column sorts by age: the oldest price is the largest. */
function age(row: Row): Value {
  const quote = row.quote;
  return quote && -(quote.quote_time ?? quote.received_time);
}

/** In their first order. A column's id is the quote's field name. Those of a desk fit 1280 pixels; the name takes what is left. */
const COLUMNS: readonly Column[] = [
  { id: "symbol", painter: symbolPainter, value: (row) => row.symbol, width: 108, kind: "text", wide: true, narrow: true },
  { id: "name", painter: namePainter, value: (row) => row.info.name ?? undefined, width: 120, kind: "text", wide: true, narrow: false },
  { id: "price", painter: pricePainter, value: field("price"), width: 142, kind: "number", wide: true, narrow: true },
  wordColumn("currency", (row) => row.quote?.currency ?? row.info.currency ?? undefined, true),
  { id: "change", painter: changePainter, value: field("change"), width: 80, kind: "number", wide: true, narrow: false },
  { id: "change_pct", painter: percentPainter("change_pct"), value: field("change_pct"), width: 76, kind: "number", wide: true, narrow: true },
  { id: "spark", painter: sparkPainter, value: () => undefined, width: 80, kind: "text", wide: true, narrow: false },
  priceColumn("bid", true),
  priceColumn("ask", true),
  priceColumn("high", true),
  priceColumn("low", true),
  priceColumn("open", false),
  priceColumn("prev_close", false),
  { id: "ext_price", painter: extendedPainter, value: field("ext_price"), width: 130, kind: "number", wide: false, narrow: false },
  { id: "volume", painter: volumePainter, value: field("volume"), width: 64, kind: "number", wide: true, narrow: false },
  { id: "age", painter: agePainter, value: age, width: 46, kind: "number", wide: true, narrow: true },
  { id: "source", painter: sourcePainter, value: (row) => row.quote?.source ?? names(row.info.feed)[0], width: 64, kind: "text", wide: true, narrow: false },
  { id: "state", painter: statePainter, value: (row, context) => context.truth(row).word, width: 104, kind: "text", wide: true, narrow: false },
];

/** Columns that rows can be sorted by: a sparkline has no order. */
export const SORTABLE_COLUMNS: readonly string[] = COLUMNS.map((column) => column.id).filter((id) => id !== "spark");

/** What the details say of a quote beside its price, in their order: those that are plain prices need nothing but a line here. */
export const DETAIL_FIELDS = [
  "bid", "ask", "open", "high", "low", "prev_close", "volume", "currency", "ext_price", "source", "age", "state",
] as const;

/** Columns whose values stay put while prices move: an order by one of them needs no keeping. */
export const STILL_COLUMNS: ReadonlySet<string> = new Set(["symbol", "name", "currency"]);

export function columnTitle(id: string, texts: Texts): string {
  return texts.say(`column.${id}` as TextKey);
}

/** Rows without a value come last, whichever way the column is sorted. */
export function compareValues(left: Value, right: Value, descending: boolean): number {
  if (left === undefined || right === undefined) {
    if (left === right) return 0;
    return (left === undefined) === descending ? -1 : 1;
  }
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}

/** The columns for the grid. */
export function columnDefs(texts: Texts, registry: CellRegistry, layout: Layout): ColDef<Row>[] {
  return COLUMNS.map((column) => ({
    colId: column.id,
    headerName: columnTitle(column.id, texts),
    headerClass: column.kind === "number" ? "ag-right-aligned-header" : "",
    cellRenderer: LiveCell,
    cellRendererParams: { painter: column.painter, registry },
    valueGetter: (params) => params.data && column.value(params.data, params.context as TableContext),
    comparator: (left: Value, right: Value, _a, _b, descending) => compareValues(left, right, descending),
    sortable: SORTABLE_COLUMNS.includes(column.id),
    sortingOrder: column.kind === "number" ? ["desc", "asc", null] : ["asc", "desc", null],
    filter: filterOf(column),
    initialWidth: WIDTHS[layout][column.id] ?? column.width,
    initialHide: !shown(column, layout),
    ...flexible(column, layout),
    ...(column.id === "symbol" && layout !== "narrow" ? { initialPinned: "left" as const } : {}),
  }));
}

/** No number has room in a column narrower than that; one column takes the width that is left. */
function flexible(column: Column, layout: Layout): Partial<ColDef<Row>> {
  if (layout === "kiosk") return { minWidth: 1 }; // `widths.ts` shares the screen out
  if (takesRest(column, layout)) return { initialFlex: 1, minWidth: LEAST_REST_PX[layout] };
  return { minWidth: column.kind === "number" ? Math.round(column.width * 0.8) : 44 };
}

function takesRest(column: Column, layout: Layout): boolean {
  return layout !== "kiosk" && column.id === (layout === "wide" ? "name" : "symbol");
}

/** Pixels that are always left for the column that takes the rest: the name at a desk, on a phone the symbol beside a long price. */
const LEAST_REST_PX: Readonly<Record<Layout, number>> = { wide: 88, narrow: 72, kiosk: 0 };

/** Pixels in a cell beside its text: what stands around it; the price's arrow with its gaps; the state's sign with its gap. */
const BESIDE_PX: Readonly<Record<string, number>> = { price: PADDING_PX + 23, state: PADDING_PX + 18, symbol: PADDING_PX + 7 };
/** The same of titles. */
const BESIDE_TITLE_PX: Readonly<Record<string, number>> = { price: 29, symbol: 22 };
/** Pixels of a screen on a wall below which texts and lines do not go. */
const YIELDS_PX: Readonly<Record<string, number>> = { symbol: 110, name: 60, spark: 60 };

/** What the widths of the columns begin with. */
export function measuresOf(texts: Texts, layout: Layout): ColumnMeasures[] {
  return COLUMNS.map((column) => ({
    id: column.id, title: columnTitle(column.id, texts), width_px: WIDTHS[layout][column.id] ?? column.width, takesRest: takesRest(column, layout),
    beside_px: BESIDE_PX[column.id] ?? PADDING_PX, beside_title_px: BESIDE_TITLE_PX[column.id] ?? 16, yields_px: YIELDS_PX[column.id] ?? 0,
  }));
}

/** A column where there is no grid yet; one with `least_px` takes the width that is left, and never less. */
export interface FirstColumn {
  column: Column;
  title: string;
  number: boolean;
  width_px: number;
  least_px: number | undefined;
}

/** The columns as the grid will show them: in the order and the widths of `chosen`; undefined where the rows are sorted. */
export function firstColumns(texts: Texts, layout: Layout, chosen: readonly ColumnState[] | undefined): FirstColumn[] | undefined {
  if (chosen?.some((state) => state.sort)) return undefined;
  const states = chosen ?? COLUMNS.map((column): ColumnState => ({ colId: column.id, hide: !shown(column, layout) }));
  return states.flatMap((state) => {
    const column = COLUMNS.find(({ id }) => id === state.colId);
    if (!column || state.hide) return [];
    const width_px = state.width ?? WIDTHS[layout][column.id] ?? column.width;
    const flexes = takesRest(column, layout) && state.flex !== null;
    return [{
      column, title: columnTitle(column.id, texts), number: column.kind === "number", width_px,
      least_px: flexes ? flexible(column, layout).minWidth : undefined,
    }];
  });
}

/** Pixels where they differ from a desk's; in a kiosk they are shares of the screen. */
const WIDTHS: Readonly<Record<Layout, Readonly<Record<string, number>>>> = {
  wide: {},
  narrow: { symbol: 108, price: 132, change_pct: 80, age: 54 },
  kiosk: { symbol: 230, name: 240, price: 330, change: 200, change_pct: 170, spark: 200, age: 100 },
};

function shown(column: Column, layout: Layout): boolean {
  return layout === "kiosk" ? column.id in WIDTHS.kiosk : column[layout];
}

function filterOf(column: Column): string | boolean {
  if (column.id === "spark" || column.id === "age") return false;
  return column.kind === "number" ? "agNumberColumnFilter" : "agTextColumnFilter";
}
