import type { Texts } from "../i18n/texts";
import { element } from "./dom";

/** Asks for the token of a server that wants to know who reads. */
export class TokenPrompt {
  private readonly dialog = element("dialog", { class: "dialog", id: "token-prompt" });
  private readonly token = element("input", { type: "password", autocomplete: "off", required: "" });
  private readonly verdict = element("p", { class: "verdict", role: "status" });
  private wrong = false;
  /** Nothing can be shown without one: the dialog stays until it has been given. */
  private needed = false;

  /** `given`: the reader has typed one. */
  constructor(private texts: Texts, private readonly given: (token: string) => void) {
    document.body.append(this.dialog);
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    this.dialog.addEventListener("close", () => this.needed && this.dialog.showModal());
  }

  setTexts(texts: Texts): void {
    this.texts = texts;
    if (this.dialog.open) this.build();
  }

  /** `wrong`: the last one was refused. */
  ask(wrong: boolean): void {
    this.wrong = wrong;
    this.needed = true;
    if (this.dialog.open) {
      this.judge();
      return;
    }
    this.token.value = "";
    this.build();
    this.dialog.showModal();
    this.token.focus();
  }

  close(): void {
    this.needed = false;
    this.dialog.close();
  }

  private build(): void {
    const { texts } = this;
    const form = element(
      "form", { method: "dialog" },
      element("label", { class: "line" }, element("span", {}, texts.say("token.label")), this.token),
      this.verdict, element("button", { type: "submit", class: "wide" }, texts.say("token.use")),
    );
    form.addEventListener("submit", () => {
      this.needed = false;
      this.given(this.token.value.trim());
    });
    this.dialog.setAttribute("aria-label", texts.say("token.title"));
    this.dialog.replaceChildren(element("h2", {}, texts.say("token.title")), element("p", {}, texts.say("token.how")), form);
    this.judge();
  }

  private judge(): void {
    this.verdict.dataset.verdict = this.wrong ? "refused" : "empty";
    this.verdict.textContent = this.wrong ? this.texts.say("token.wrong") : "";
  }
}
