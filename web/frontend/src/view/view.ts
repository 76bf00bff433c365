import type { SymbolInfo } from "../model/wire";
import { shows } from "./face";

/** One of the columns that the rows are sorted by. */
export interface Sort {
  column: string;
  descending: boolean;
}

/** What a reader looks at: which rows, in which order, whose details. It stands in the address, and whoever opens that sees the same. */
export interface View {
  /** undefined: all. */
  group: string | undefined;
  /** What is searched for, as it was typed. */
  q: string;
  sort: readonly Sort[];
  /** Whose details are open. */
  symbol: string | undefined;
}

/** The parameters of an address that are a view. */
const OURS: ReadonlySet<string> = new Set(["group", "sort", "q", "symbol"]);
/** Those that also say which rows are meant: beside one of them an address is no bare `/`. */
const LIMITING: ReadonlySet<string> = new Set([...OURS, "symbols", "filter"]);

/** Reads `?group=G&sort=-change_pct,symbol&q=TEXT&symbol=S`; what is absent or empty is the default. `sortable`: columns there are to sort by. */
export function readView(search: string, sortable: readonly string[]): View {
  const query = new URLSearchParams(search);
  return {
    group: query.get("group") || undefined, q: query.get("q") ?? "",
    sort: readSort(query.get("sort") ?? "", sortable), symbol: query.get("symbol") || undefined,
  };
}

function readSort(text: string, sortable: readonly string[]): Sort[] {
  const sort = text.split(",").map((part) => ({ column: part.replace(/^-/, ""), descending: part.startsWith("-") }));
  return sort.filter(({ column }, index) => sortable.includes(column) && sort.findIndex((other) => other.column === column) === index);
}

/** The query of an address, `search`, with `view` in it. Whatever else stands there stays as it is. */
export function writeView(search: string, view: View): string {
  const others = partsOf(search).filter((part) => !OURS.has(nameOf(part)));
  const sort = view.sort.map(({ column, descending }) => (descending ? "-" : "") + column).join(",");
  const ours = Object.entries({ group: view.group, sort, q: view.q, symbol: view.symbol }).filter(([, value]) => value);
  const query = [...others, ...ours.map(([name, value]) => `${name}=${encode(value ?? "")}`)].join("&");
  return query && `?${query}`;
}

/** Whether an address leaves it to the reader's last view what is shown. */
export function saysNothing(search: string): boolean {
  return !partsOf(search).some((part) => LIMITING.has(nameOf(part)));
}

function partsOf(search: string): string[] {
  return search.replace(/^\?/, "").split("&").filter((part) => part !== "");
}

function nameOf(part: string): string {
  return new URLSearchParams(part).keys().next().value ?? "";
}

/** As it may stand in a query, with what reads better unescaped left alone. Half a pair of surrogates has no code: it is replaced. */
function encode(value: string): string {
  return encodeURIComponent(value.replace(/[\ud800-\udfff]/gu, "\ufffd")).replace(/%20/g, "+").replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%3A/g, ":");
}

/** Whether a symbol is of the view's group, of the only `symbols` asked for, and has in it what is searched for. */
export function passes(info: SymbolInfo, view: Pick<View, "group" | "q">, symbols: ReadonlySet<string> | undefined): boolean {
  if (!shows({ symbols, group: view.group }, info)) return false;
  const sought = view.q.trim().toLowerCase();
  return sought === "" || info.symbol.toLowerCase().includes(sought) || (info.name ?? "").toLowerCase().includes(sought);
}
