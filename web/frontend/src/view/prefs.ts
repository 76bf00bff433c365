import type { ColumnState } from "ag-grid-community";
import { redIsUp, type Language } from "../i18n/texts";
import { keptAs } from "../net/base-url";
import type { Face } from "./face";
import type { Layout } from "./layout";

export type Theme = "auto" | "dark" | "light";
export type Palette = "green-up" | "red-up" | "blue-up";

/** What a reader chose; absent is the default. Kept in this browser only. */
export interface Prefs {
  theme: Theme;
  palette: Palette;
  flash: boolean;
  /** Read the open symbol's price out through a screen reader. */
  speak: boolean;
  language: Language | undefined;
  /** What the reader looked at last, as the query of an address. */
  view: string;
  /** Updates a second of a row in view; `undefined`: as fast as the server goes. */
  symbol_hz: number | undefined;
  /** By layout: a phone shows other columns than a desk. */
  columns: { wide?: ColumnState[]; narrow?: ColumnState[] };
}

/** What everything is kept under. */
export const PREFS_KEY = keptAs("tickercast");
const DEFAULTS: Prefs = {
  theme: "auto", palette: "green-up", flash: true, speak: true, language: undefined, view: "", symbol_hz: undefined, columns: {},
};

const CHECKS: { readonly [K in keyof Prefs]: (value: unknown) => boolean } = {
  theme: (value) => value === "auto" || value === "dark" || value === "light",
  palette: (value) => value === "green-up" || value === "red-up" || value === "blue-up",
  flash: (value) => typeof value === "boolean",
  speak: (value) => typeof value === "boolean",
  language: (value) => value === "en" || value === "zh",
  view: (value) => typeof value === "string",
  symbol_hz: (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
  columns: (value) => isObject(value) && [value.wide, value.narrow].every((states) => states === undefined || areStates(states)),
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function areStates(value: unknown): boolean {
  return Array.isArray(value) && value.every((state) => isObject(state) && typeof state.colId === "string");
}

/** Reads what was kept; `languages` are the reader's, for the first colours. Anything that is not what we would write (another version, an edit by hand) counts as absent. */
export function loadPrefs(storage: Pick<Storage, "getItem"> | undefined, languages: readonly string[] = []): Prefs {
  const prefs: Prefs = { ...DEFAULTS, palette: redIsUp(languages) ? "red-up" : DEFAULTS.palette, columns: {} };
  for (const [key, value] of Object.entries(readKept(storage))) {
    if (Object.hasOwn(CHECKS, key) && CHECKS[key as keyof Prefs](value)) Object.assign(prefs, { [key]: value });
  }
  return prefs;
}

function readKept(storage: Pick<Storage, "getItem"> | undefined): Record<string, unknown> {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(PREFS_KEY) ?? "{}");
    return isObject(kept) ? kept : {};
  } catch {
    return {}; // not JSON
  }
}

/** Keeps what changed and leaves the rest as it stands there: another tab may have written it a moment ago. */
export function savePrefs(storage: Pick<Storage, "getItem" | "setItem"> | undefined, change: Partial<Prefs>): void {
  const kept = readKept(storage);
  const columns = change.columns && { columns: { ...(isObject(kept.columns) ? kept.columns : {}), ...change.columns } };
  try {
    storage?.setItem(PREFS_KEY, JSON.stringify({ ...kept, ...change, ...columns }));
  } catch {
    // the storage is full or forbidden: the choice holds for this visit
  }
}

/** The reader's columns for `layout`; a kiosk or an embedded table does not follow one reader's choice. */
export function chosenColumns(prefs: Prefs, face: Face, layout: Layout): ColumnState[] | undefined {
  return face.kind === "desk" && layout !== "kiosk" ? prefs.columns[layout] : undefined;
}

/** Puts the reader's colours on the page. */
export function colour({ theme, palette }: Prefs): void {
  Object.assign(document.documentElement.dataset, { theme, palette });
}
