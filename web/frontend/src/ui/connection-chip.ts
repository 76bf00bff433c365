import { formatAge } from "../format";
import type { Connection } from "../freshness";
import type { Texts } from "../i18n/texts";
import { setText, setTitle } from "../text";

/** The word for the whole table, and how old the server's newest word is. */
export class ConnectionChip {
  private readonly word: HTMLElement;
  private readonly age: HTMLElement;

  constructor(private readonly root: HTMLElement) {
    this.word = root.querySelector<HTMLElement>(".word") ?? root;
    this.age = root.querySelector<HTMLElement>(".age") ?? root;
  }

  /** `silence_ms`: since the server's newest word; Infinity before the first. */
  show(connection: Connection, silence_ms: number, texts: Texts): void {
    const heard = Number.isFinite(silence_ms);
    const age = heard ? formatAge(silence_ms) : "";
    setText(this.word, texts.say(`connection.${connection}`));
    setText(this.age, age);
    const newest = heard ? texts.say("connection.title", { age }) : texts.say("connection.never");
    setTitle(this.root, `${texts.say(`connection.${connection}.help`)}. ${newest}`);
  }
}
