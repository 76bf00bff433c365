import { en, type Catalogue, type TextKey } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh";
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", zh: "中文" };

const CATALOGUES: Readonly<Record<Language, Catalogue>> = { en, zh };

/** The first of the reader's languages that we have. */
export function pickLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "en" || base === "zh") return base;
  }
  return "en";
}

/** The locale for numbers and times: the reader's own where it is of the page's language, else that language's. */
export function pickLocale(language: Language, preferred: readonly string[]): string {
  const own = preferred.find((tag) => tag.toLowerCase().split("-")[0] === language);
  if (own) return own;
  return language === "zh" ? "zh-CN" : (preferred[0] ?? "en");
}

/** The page's words in one language. */
export class Texts {
  constructor(readonly language: Language) {}

  say(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
    return CATALOGUES[this.language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }
}

const RED_IS_UP: ReadonlySet<string> = new Set(["CN", "TW", "JP", "KR"]);

/** Whether a rise is red where the reader lives. */
export function redIsUp(preferred: readonly string[]): boolean {
  return RED_IS_UP.has(new Intl.Locale(preferred[0] ?? "en").maximize().region ?? "");
}
