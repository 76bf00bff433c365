import type { Texts } from "../i18n/texts";
import { isSymbol, symbolLine } from "../toml";
import { button, element } from "./dom";

/** Shows the line that adds a symbol to `settings.toml`, and says as soon as the running server has picked it up. */
export class AddSymbol {
  private known: ReadonlySet<string> = new Set();
  private feeds: readonly string[] = [];
  private readonly symbol = element("input", { id: "add-symbol-name", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "32" });
  private readonly feed = element("select", {});
  private readonly line = element("code", {});
  private readonly verdict = element("p", { class: "verdict", role: "status" });

  constructor(private readonly dialog: HTMLDialogElement, private texts: Texts) {
    this.symbol.addEventListener("input", () => this.show());
    this.feed.addEventListener("change", () => this.show());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // on the backdrop
  }

  setTexts(texts: Texts): void {
    this.texts = texts;
  }

  setFeeds(feeds: readonly string[]): void {
    this.feeds = feeds;
  }

  setSymbols(symbols: ReadonlySet<string>): void {
    this.known = symbols;
    if (this.dialog.open) this.show();
  }

  open(): void {
    const { texts } = this;
    this.symbol.value = "";
    this.feed.replaceChildren(...this.feeds.map((feed) => element("option", {}, feed)));
    const copy = button(texts.say("add.copy"), () => void navigator.clipboard.writeText(this.line.textContent ?? "").catch(() => undefined), { class: "wide" });
    const close = button(texts.say("add.close"), () => this.dialog.close(), { class: "wide" });
    this.dialog.setAttribute("aria-label", texts.say("add.title"));
    this.dialog.replaceChildren(
      element("h2", {}, texts.say("add.title")),
      element("label", { class: "line" }, element("span", {}, texts.say("column.symbol")), this.symbol),
      element("label", { class: "line" }, element("span", {}, texts.say("add.feed")), this.feed),
      element("p", {}, texts.say("add.how")), element("pre", {}, this.line), this.verdict, copy, close,
    );
    this.show();
    this.dialog.showModal();
  }

  private show(): void {
    const symbol = this.symbol.value.trim();
    this.line.textContent = symbolLine(symbol || "SYMBOL", this.feed.value);
    const present = this.known.has(symbol);
    const key = present ? "add.present" : symbol === "" ? "add.empty" : isSymbol(symbol) ? "add.waiting" : "add.invalid";
    this.verdict.dataset.verdict = key.slice("add.".length);
    const text = this.texts.say(key, { symbol });
    if (this.verdict.textContent !== text) this.verdict.textContent = text;
  }
}
