import type { TextKey } from "../i18n/en";
import type { Texts } from "../i18n/texts";
import { isSymbol, symbolLine } from "../model/settings-line";
import { requestChange, type Change } from "../net/admin";
import { askServer } from "../net/ask-server";
import { keptAs } from "../net/base-url";
import { browserStorage } from "../net/storage";
import { TokenBox } from "../net/token";
import { button, element } from "./dom";

type Verdict = "empty" | "invalid" | "waiting" | "present" | "removing" | "removed" | "refused";

/**
 * Shows the line that adds a symbol to `settings.toml`, and says as soon as the running server has picked it up.
 * Whoever knows the admin token can have the server write the line, or take it out, from here.
 */
export class AddSymbol {
  private known: ReadonlySet<string> = new Set();
  private feeds: readonly string[] = [];
  private readonly tokens = new TokenBox(browserStorage("sessionStorage"), keptAs("tickercast-admin"));
  private readonly symbol = element("input", { autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "32" });
  private readonly feed = element("select", {});
  private readonly token = element("input", { type: "password", autocomplete: "off" });
  private readonly line = element("code", {});
  private readonly verdict = element("p", { class: "verdict", role: "status" });
  private readonly act = element("button", { type: "submit", class: "wide" });
  private readonly form = element("form", {});
  private readonly admin = element("details", { class: "admin" });
  /** A symbol that was removed from here, and why the last change was refused: until something else is typed. */
  private removed = "";
  private refusal = "";
  private busy = false;
  /** Removing takes two presses: the line's options go with it. */
  private sure = false;

  constructor(private readonly dialog: HTMLDialogElement, private texts: Texts) {
    this.symbol.addEventListener("input", () => this.typed());
    this.feed.addEventListener("change", () => this.show());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.change();
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // on the backdrop
  }

  setTexts(texts: Texts): void {
    this.texts = texts;
    if (this.dialog.open) this.build();
  }

  setFeeds(feeds: readonly string[]): void {
    if (feeds.join() === this.feeds.join()) return;
    this.feeds = feeds;
    const chosen = this.feed.value;
    this.feed.replaceChildren(...feeds.map((feed) => element("option", {}, feed)));
    if (feeds.includes(chosen)) this.feed.value = chosen;
  }

  setSymbols(symbols: ReadonlySet<string>): void {
    this.known = symbols;
    if (this.dialog.open) this.show();
  }

  open(): void {
    this.symbol.value = "";
    this.token.value = this.tokens.read();
    this.admin.open = this.token.value !== "";
    this.typed();
    this.build();
    this.dialog.showModal();
    this.symbol.focus();
  }

  private build(): void {
    const { texts } = this;
    const field = (label: TextKey, control: HTMLElement): HTMLElement => element("label", { class: "line" }, element("span", {}, texts.say(label)), control);
    const copy = button(texts.say("add.copy"), () => void navigator.clipboard.writeText(this.line.textContent ?? "").catch(() => undefined), { class: "wide" });
    const close = button(texts.say("add.close"), () => this.dialog.close(), { class: "wide" });
    this.dialog.setAttribute("aria-label", texts.say("add.title"));
    this.form.replaceChildren(field("add.token", this.token), this.act);
    this.admin.replaceChildren(element("summary", {}, texts.say("add.admin")), element("p", {}, texts.say("add.admin.help")), this.form);
    this.dialog.replaceChildren(
      element("h2", {}, texts.say("add.title")), field("column.symbol", this.symbol), field("add.feed", this.feed),
      element("p", {}, texts.say("add.how")), element("pre", { tabindex: "0", role: "group", "aria-label": texts.say("add.line") }, this.line),
      this.verdict, this.admin, copy, close,
    );
    this.show();
  }

  private typed(): void {
    this.removed = "";
    this.refusal = "";
    this.sure = false;
    this.show();
  }

  private show(): void {
    const symbol = this.symbol.value.trim();
    const present = this.known.has(symbol);
    this.line.textContent = symbolLine(symbol || "SYMBOL", this.feed.value);
    this.act.textContent = this.texts.say(!present ? "add.act" : this.sure ? "add.remove_sure" : "add.remove", { symbol: symbol || "…" });
    this.act.disabled = this.busy || !isSymbol(symbol);
    const verdict = this.judge(symbol, present);
    this.verdict.dataset.verdict = verdict;
    const text = this.texts.say(`add.${verdict}`, { symbol, reason: this.refusal });
    if (this.verdict.textContent !== text) this.verdict.textContent = text;
  }

  private judge(symbol: string, present: boolean): Verdict {
    if (this.refusal !== "") return "refused";
    if (symbol !== "" && symbol === this.removed) return present ? "removing" : "removed";
    if (present) return "present";
    if (symbol === "") return "empty";
    return isSymbol(symbol) ? "waiting" : "invalid";
  }

  /** Has the server add the symbol, or remove the one that is there. */
  private async change(): Promise<void> {
    const symbol = this.symbol.value.trim();
    const present = this.known.has(symbol);
    if (present && !this.sure) {
      this.sure = true;
      this.show();
      return;
    }
    const token = this.token.value.trim();
    const change: Change = present ? { remove: symbol } : { add: symbol, feed: this.feed.value };
    this.busy = true;
    this.sure = false;
    this.refusal = "";
    this.show();
    const refusal = await requestChange(askServer, token, change);
    this.busy = false;
    if (refusal?.code === "unauthorized") this.tokens.forget();
    if (refusal) this.refusal = this.reason(refusal.code) ?? refusal.message;
    else this.tokens.keep(token);
    this.removed = present && !refusal ? symbol : "";
    this.show();
  }

  private reason(code: string): string | undefined {
    if (code === "no_admin_token") return this.texts.say("add.reason.no_admin_token");
    return code === "unauthorized" ? this.texts.say("add.reason.unauthorized") : undefined;
  }
}
