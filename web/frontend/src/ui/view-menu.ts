import { LANGUAGES, type Language, type Texts } from "../i18n/texts";
import type { Palette, Prefs, Theme } from "../view/prefs";
import { button, element } from "./dom";

const THEMES: readonly Theme[] = ["auto", "dark", "light"];
const PALETTES: readonly Palette[] = ["green-up", "red-up", "blue-up"];
/** The slider's stops, updates a second; the last is «as fast as the server goes». */
const RATES: readonly (number | undefined)[] = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, undefined];

export interface ViewActions {
  changed(change: Partial<Prefs>): void;
  /** Copies the table; says how many rows, or undefined where the browser refused. */
  copy(): Promise<number | undefined>;
}

/** How the table looks and how fast it runs: everything here is the reader's own choice, kept in this browser. */
export class ViewMenu {
  version = "";
  /** What the server granted, updates a second. */
  private granted_hz: number | undefined;
  private readonly granted = element("span", { class: "granted", role: "status" });

  constructor(private readonly root: HTMLElement, private readonly prefs: Prefs, private texts: Texts, private readonly actions: ViewActions) {
    root.addEventListener("beforetoggle", (event) => event.newState === "open" && this.show());
  }

  setTexts(texts: Texts): void {
    this.texts = texts;
    this.root.setAttribute("aria-label", texts.say("view.button"));
    if (this.root.matches(":popover-open")) this.show();
  }

  setGranted(granted_hz: number): void {
    this.granted_hz = granted_hz;
    this.showGranted();
  }

  private show(): void {
    const { texts, prefs } = this;
    this.showGranted();
    this.root.replaceChildren(
      this.choice("view.theme", THEMES.map((theme) => [theme, texts.say(`view.theme.${theme}`)]), prefs.theme, (theme) => this.actions.changed({ theme })),
      this.choice("view.palette", PALETTES.map((palette) => [palette, texts.say(`view.palette.${palette}`)]), prefs.palette, (palette) => this.actions.changed({ palette })),
      this.box("flash"),
      this.box("speak"),
      this.choice("view.language", Object.entries(LANGUAGES) as [Language, string][], texts.language, (language) => this.actions.changed({ language })),
      this.rate(),
      this.copyButton(),
      element("p", { class: "about" }, texts.say("view.about", { version: this.version })),
    );
  }

  private choice<V extends string>(
    label: "view.theme" | "view.palette" | "view.language", options: readonly (readonly [V, string])[], current: V, chosen: (value: V) => void,
  ): HTMLElement {
    const select = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
    select.value = current;
    select.addEventListener("change", () => chosen(select.value as V));
    return element("label", { class: "line" }, element("span", {}, this.texts.say(label)), select);
  }

  private box(choice: "flash" | "speak"): HTMLElement {
    const box = element("input", { type: "checkbox" });
    box.checked = this.prefs[choice];
    box.addEventListener("change", () => this.actions.changed({ [choice]: box.checked }));
    return element("label", { class: "line" }, element("span", {}, this.texts.say(`view.${choice}`)), box);
  }

  private rate(): HTMLElement {
    const shown = element("output", {});
    const slider = element("input", { type: "range", min: "0", max: String(RATES.length - 1), step: "1", id: "rate" });
    const at = RATES.indexOf(this.prefs.symbol_hz);
    slider.value = String(at < 0 ? RATES.length - 1 : at);
    const label = (hz: number | undefined): string =>
      hz === undefined ? this.texts.say("view.rate.max") : this.texts.say("view.rate.value", { hz });
    const update = (): void => {
      const hz = RATES[Number(slider.value)];
      shown.textContent = label(hz);
      slider.setAttribute("aria-valuetext", label(hz));
    };
    slider.addEventListener("input", () => {
      update();
      this.actions.changed({ symbol_hz: RATES[Number(slider.value)] });
    });
    update();
    return element("div", { class: "stack" }, element("label", { for: "rate" }, this.texts.say("view.rate")), slider, shown, this.granted);
  }

  private showGranted(): void {
    const hz = this.granted_hz;
    this.granted.textContent = hz === undefined ? "" : this.texts.say("view.rate.granted", { hz: Math.round(hz * 100) / 100 });
  }

  private copyButton(): HTMLElement {
    const made = button(this.texts.say("view.copy"), () => {
      void this.actions.copy().then((rows) => {
        made.textContent = rows === undefined ? this.texts.say("view.copy_failed") : this.texts.say("view.copied", { rows });
      });
    }, { class: "wide" });
    return made;
  }
}
