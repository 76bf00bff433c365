import type { Texts } from "../i18n/texts";
import type { AddSymbol } from "./add-symbol";
import { loadCode } from "./load-code";

/** The dialog that adds a symbol. Few ever open it: its code is loaded when it is asked for. */
export class LazyAddSymbol {
  private dialog: Promise<AddSymbol> | undefined;
  private symbols: ReadonlySet<string> = new Set();
  private feeds: readonly string[] = [];

  constructor(private readonly root: HTMLDialogElement, private texts: Texts) {}

  setTexts(texts: Texts): void {
    this.texts = texts;
    this.tell((dialog) => dialog.setTexts(texts));
  }

  setSymbols(symbols: ReadonlySet<string>): void {
    this.symbols = symbols;
    this.tell((dialog) => dialog.setSymbols(symbols));
  }

  setFeeds(feeds: readonly string[]): void {
    this.feeds = feeds;
    this.tell((dialog) => dialog.setFeeds(feeds));
  }

  open(): void {
    this.dialog ??= this.load();
    this.tell((dialog) => dialog.open());
  }

  private tell(news: (dialog: AddSymbol) => void): void {
    this.dialog?.then(news, () => {
      this.dialog = undefined; // the page has said why; the next press tries again
    });
  }

  private async load(): Promise<AddSymbol> {
    const { AddSymbol } = await loadCode(() => import("./add-symbol"));
    const dialog = new AddSymbol(this.root, this.texts);
    dialog.setFeeds(this.feeds);
    dialog.setSymbols(this.symbols);
    return dialog;
  }
}
