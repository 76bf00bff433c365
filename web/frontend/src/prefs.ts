import type { ColumnState } from "ag-grid-community";
import type { Face } from "./face";
import { redIsUp, type Language } from "./i18n/texts";
import { keptAs } from "./net/address";
import type { Layout } from "./table/columns";

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
  group: string | undefined;
  /** Updates a second of a row in view; `undefined`: as fast as the server goes. */
  symbol_hz: number | undefined;
  /** By layout: a phone shows other columns than a desk. */
  columns: { wide?: ColumnState[]; narrow?: ColumnState[] };
}

const KEY = keptAs("tickercast");
const DEFAULTS: Prefs = {
  theme: "auto", palette: "green-up", flash: true, speak: true, language: undefined, group: undefined, symbol_hz: undefined, columns: {},
};

const CHECKS: { readonly [K in keyof Prefs]: (value: unknown) => boolean } = {
  theme: (value) => value === "auto" || value === "dark" || value === "light",
  palette: (value) => value === "green-up" || value === "red-up" || value === "blue-up",
  flash: (value) => typeof value === "boolean",
  speak: (value) => typeof value === "boolean",
  language: (value) => value === "en" || value === "zh",
  group: (value) => typeof value === "string",
  symbol_hz: (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
  columns: (value) => typeof value === "object" && value !== null,
};

/** Reads what was kept; `languages` are the reader's, for the first colours. Anything that is not what we would write (another version, an edit by hand) counts as absent. */
export function loadPrefs(storage: Pick<Storage, "getItem"> | undefined, languages: readonly string[] = []): Prefs {
  const prefs: Prefs = { ...DEFAULTS, palette: redIsUp(languages) ? "red-up" : DEFAULTS.palette, columns: {} };
  let kept: unknown;
  try {
    kept = JSON.parse(storage?.getItem(KEY) ?? "{}");
  } catch {
    return prefs; // not JSON
  }
  if (typeof kept !== "object" || kept === null) return prefs;
  for (const [key, value] of Object.entries(kept)) {
    if (key in CHECKS && CHECKS[key as keyof Prefs](value)) Object.assign(prefs, { [key]: value });
  }
  return prefs;
}

export function savePrefs(storage: Pick<Storage, "setItem"> | undefined, prefs: Prefs): void {
  try {
    storage?.setItem(KEY, JSON.stringify(prefs));
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
