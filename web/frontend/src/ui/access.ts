import type { ReadJson } from "../history/server-history";
import type { Texts } from "../i18n/texts";
import type { FromHub } from "../model/messages";
import { askServer } from "../net/ask-server";
import { tokenBox } from "../net/token";
import { TokenPrompt } from "./token-prompt";

/** The token of a server that asks who reads: asked for when it is needed, sent in headers and never in an address. */
export class Access {
  token: string;
  private readonly box = tokenBox();
  private readonly prompt: TokenPrompt;

  /** `changed`: the token is another one. */
  constructor(texts: Texts, private readonly changed: () => void) {
    this.token = this.box.read();
    this.prompt = new TokenPrompt(texts, (token) => this.take(token));
  }

  setTexts(texts: Texts): void {
    this.prompt.setTexts(texts);
  }

  /** What the hub says of it: another tab's token, or that the server refuses ours. */
  receive(message: FromHub): void {
    if (message.type === "token" && message.token !== this.token) this.take(message.token);
    if (message.type !== "phase") return;
    if (message.phase === "refused") this.refuse();
    if (message.phase === "syncing") this.prompt.close();
    if (message.phase === "synced" && this.token !== "") this.box.keep(this.token);
  }

  /** JSON of this server. Rejects where there is no good answer. */
  readonly read: ReadJson = async (path) => {
    const token = this.token;
    const answer = await askServer(path, token === "" ? {} : { headers: { Authorization: `Bearer ${token}` } });
    if (answer.status === 401 && token === this.token) this.refuse();
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };

  private refuse(): void {
    const wrong = this.token !== "";
    this.token = "";
    this.box.forget();
    this.prompt.ask(wrong);
  }

  private take(token: string): void {
    if (token === "") return;
    this.token = token;
    this.changed();
  }
}
