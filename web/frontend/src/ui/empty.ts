import type { Texts } from "../i18n/texts";
import type { SymbolInfo } from "../model/wire";
import { shows, type Face } from "../view/face";

/** What decides which rows there are. */
export interface Emptiness {
  /** All symbols of the settings. */
  symbols: readonly SymbolInfo[];
  /** The server has said which they are. */
  listed: boolean;
  /** What the reader or the address has chosen of them. */
  limits: Pick<Face, "group" | "symbols">;
  search: string;
  /** Columns are filtered. */
  filtered: boolean;
}

/** Why a table has no rows, in one sentence: the first cause that alone is enough. */
export function whyEmpty({ symbols, listed, limits, search, filtered }: Emptiness, texts: Texts): string {
  if (symbols.length === 0) return texts.say(listed ? "rows.empty" : "rows.loading");
  if (!symbols.some((info) => shows(limits, info))) {
    return limits.symbols === undefined ? texts.say("rows.empty_group", { group: limits.group ?? "" }) : texts.say("rows.unknown");
  }
  if (search === "") return texts.say(filtered ? "rows.filtered_out" : "rows.none");
  return texts.say(filtered ? "rows.none_of_both" : "rows.no_match", { search });
}
