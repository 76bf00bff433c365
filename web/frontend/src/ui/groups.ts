import type { Texts } from "../i18n/texts";
import { names, type SymbolInfo } from "../wire";
import { button } from "./dom";

/** The groups of the settings as tabs, in the order they first appear; hidden where there is no choice. */
export class Groups {
  private list: string[] = [];

  constructor(
    private readonly root: HTMLElement, private texts: Texts, private chosen: string | undefined,
    private readonly changed: (group: string | undefined) => void,
  ) {
    root.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** The chosen group; undefined is all. A group that is gone from the settings chooses nothing. */
  get current(): string | undefined {
    return this.chosen !== undefined && this.list.includes(this.chosen) ? this.chosen : undefined;
  }

  setTexts(texts: Texts): void {
    this.texts = texts;
    this.show();
  }

  setSymbols(symbols: readonly SymbolInfo[]): void {
    const list = [...new Set(symbols.flatMap((info) => names(info.group)))];
    if (list.length === this.list.length && list.every((group, index) => group === this.list[index])) return;
    this.list = list;
    this.show();
  }

  private choose(group: string | undefined): void {
    this.chosen = group;
    this.show();
    this.changed(group);
  }

  private show(): void {
    const focused = this.root.contains(document.activeElement);
    this.root.hidden = this.list.length === 0;
    this.root.setAttribute("aria-label", this.texts.say("groups.label"));
    this.root.replaceChildren(...[undefined, ...this.list].map((group) => {
      const selected = group === this.current;
      return button(group ?? this.texts.say("groups.all"), () => this.choose(group), {
        class: "group", role: "tab", "aria-selected": String(selected), "aria-controls": "table", tabindex: selected ? "0" : "-1",
      });
    }));
    const tab = this.root.querySelector<HTMLElement>("[aria-selected=true]");
    if (focused) tab?.focus();
  }

  private onKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const all = [undefined, ...this.list];
    this.choose(all[(all.indexOf(this.current) + step + all.length) % all.length]);
  }
}
