import type { TextKey } from "../i18n/en";
import type { Texts } from "../i18n/texts";

/** Those of the grid's own texts that are ever seen. */
const GRID_TEXTS: ReadonlySet<string> = new Set([
  "filterOoo", "contains", "notContains", "equals", "notEqual", "startsWith", "endsWith", "blank", "notBlank", "lessThan",
  "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "inRange", "inRangeStart", "inRangeEnd", "andCondition", "orCondition", "resetFilter",
]);

export function gridText(texts: Texts, key: string, defaultValue: string): string {
  return GRID_TEXTS.has(key) ? texts.say(`grid.${key}` as TextKey) : defaultValue;
}
