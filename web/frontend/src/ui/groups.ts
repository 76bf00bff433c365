import type { Texts } from "../i18n/texts";
import { names, type SymbolInfo } from "../model/wire";
import { button } from "./dom";

/**
 * The groups of the settings as tabs, in the order they first appear; hidden where there is no choice. A chosen group that the settings
 * do not have keeps a tab of its own, over no row: nothing else may stand under its name, and it may come (back).
 */
export class Groups {
  private list: readonly string[] | undefined;

  constructor(
    private readonly root: HTMLElement, private texts: Texts, private chosen: string | undefined,
    private readonly changed: (group: string | undefined) => void,
  ) {
    root.addEventListener("keydown", (event) => this.onKey(event));
  }

  setTexts(texts: Texts): void {
    this.texts = texts;
    this.show();
  }

  setSymbols(symbols: readonly SymbolInfo[]): void {
    const list = [...new Set(symbols.flatMap((info) => names(info.group)))];
    const known = this.list;
    if (known && list.length === known.length && list.every((group, index) => group === known[index])) return;
    this.list = list;
    this.show();
  }

  /** undefined is all. */
  private tabs(): (string | undefined)[] {
    const { list = [], chosen } = this;
    const isGone = this.list && chosen !== undefined && !list.includes(chosen);
    return list.length === 0 && !isGone ? [] : [undefined, ...list, ...(isGone ? [chosen] : [])];
  }

  private choose(group: string | undefined): void {
    this.chosen = group;
    this.show();
    this.changed(group);
  }

  private show(): void {
    const focused = this.root.contains(document.activeElement);
    const tabs = this.tabs();
    this.root.hidden = tabs.length === 0;
    this.root.setAttribute("aria-label", this.texts.say("groups.label"));
    this.root.replaceChildren(...tabs.map((group) => {
      const selected = group === this.chosen;
      const title = group === undefined || this.list?.includes(group) ? {} : { title: this.texts.say("groups.gone", { group }) };
      return button(group ?? this.texts.say("groups.all"), () => this.choose(group), {
        class: "group", role: "tab", "aria-selected": String(selected), "aria-controls": "table", tabindex: selected ? "0" : "-1", ...title,
      });
    }));
    const tab = this.root.querySelector<HTMLElement>("[aria-selected=true]");
    if (focused) tab?.focus();
  }

  private onKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const tabs = this.tabs();
    this.choose(tabs[(tabs.indexOf(this.chosen) + step + tabs.length) % tabs.length]);
  }
}
