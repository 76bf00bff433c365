import { en, type TextKey } from "../i18n/en";
import type { Texts } from "../i18n/texts";
import type { Connection, LinkPhase, Obstacle } from "../model/connection";
import { formatAge } from "../model/format";
import { setText, setTitle } from "../view/set-text";

/** The word for the whole table, and how old the server's newest word is. */
export class ConnectionChip {
  private readonly word: HTMLElement;
  private readonly age: HTMLElement;

  constructor(private readonly root: HTMLElement) {
    this.word = root.querySelector<HTMLElement>(".word") ?? root;
    this.age = root.querySelector<HTMLElement>(".age") ?? root;
  }

  /** `silence_ms`: since the server's newest word; Infinity before the first. */
  show(connection: Connection, silence_ms: number, phase: LinkPhase, texts: Texts, obstacle?: Obstacle): void {
    const heard = Number.isFinite(silence_ms);
    const age = heard ? formatAge(silence_ms) : "";
    const word = connectionWord(connection, phase);
    setText(this.word, texts.say(word));
    setText(this.age, age);
    const newest = heard ? texts.say("connection.title", { age }) : texts.say("connection.never");
    const why = word === "connection.obstructed" && obstacle ? obstacleText(obstacle, texts) : texts.say(`${word}.help` as TextKey);
    setTitle(this.root, `${why}. ${newest}`);
  }
}

type ConnectionKey = `connection.${Connection | "refused" | "restarting" | "obstructed"}`;

/** One word for the connection; where it is missing and the server has said why, that. */
export function connectionWord(connection: Connection, phase: LinkPhase): ConnectionKey {
  const said = phase === "refused" || phase === "restarting" || phase === "obstructed";
  return connection === "recovering" && said ? `connection.${phase}` : `connection.${connection}`;
}

/** What stands in the way, in the reader's language where we have words for it, else in the server's own. */
export function obstacleText({ reason, message, status }: Obstacle, texts: Texts): string {
  const key = `obstacle.${reason}`;
  return texts.say(key in en ? key as TextKey : "obstacle.other", { message, status });
}
