import type { Texts } from "../i18n/texts";
import { formatAge } from "../model/format";
import type { LinkStats } from "../model/messages";
import { element } from "./dom";

export interface PageStats extends LinkStats {
  folded: number;
  /** Ages of what was painted lately, ms. */
  age_p50_ms: number | undefined;
  age_p99_ms: number | undefined;
  /** From the arrival of a price in this page to its painting, ms. */
  paint_p99_ms: number | undefined;
}

function shortAge(age_ms: number | undefined): string {
  if (age_ms === undefined) return "–";
  return age_ms < 1000 ? `${Math.round(age_ms)}ms` : formatAge(age_ms);
}

/** The line of figures: what comes in, how far away the server is, how old what is painted is. */
export function showStats(root: HTMLElement, stats: PageStats, texts: Texts): void {
  const figures: [string, string, string][] = [
    ["messages", texts.say("stats.messages", { value: stats.messages }), texts.say("stats.messages.help")],
    ["kbits", texts.say("stats.kbits", { value: Math.round((stats.bytes * 8) / 1000) }), texts.say("stats.kbits.help")],
    ["round-trip", texts.say("stats.round_trip", { value: stats.round_trip_ms === null ? "–" : stats.round_trip_ms.toFixed(1) }), texts.say("stats.round_trip.help")],
    ["ages", texts.say("stats.age", { p50: shortAge(stats.age_p50_ms), p99: shortAge(stats.age_p99_ms) }), texts.say("stats.age.help")],
    ["folded", texts.say("stats.folded", { value: stats.folded }), texts.say("stats.folded.help")],
  ];
  if (root.children.length !== figures.length) root.replaceChildren(...figures.map(([name]) => element("span", { class: "figure", "data-figure": name })));
  root.dataset.paintP99 = stats.paint_p99_ms?.toFixed(1) ?? "";
  figures.forEach(([, text, help], index) => {
    const shown = root.children[index] as HTMLElement;
    if (shown.textContent !== text) shown.textContent = text;
    if (shown.title !== help) shown.title = help;
  });
}
