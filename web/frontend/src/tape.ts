import { pickLanguage, pickLocale, Texts } from "./i18n/texts";
import { Formatter } from "./model/format";
import { Live } from "./model/live";
import type { Row } from "./model/store";
import { explanation, madeAt, showTruth, spokenWords, type Truth } from "./model/truth";
import type { Link } from "./net/link";
import { browserStorage } from "./net/storage";
import { Access } from "./ui/access";
import { ConnectionChip, obstacleText } from "./ui/connection-chip";
import { byId, element } from "./ui/dom";
import { whyEmpty } from "./ui/empty";
import { shows, type Face } from "./view/face";
import { browserFrames, PaintGate } from "./view/paint";
import { colour, loadPrefs } from "./view/prefs";
import { setText, setTitle } from "./view/set-text";
import { boardHz } from "./view/visibility";

/** The strip moves so fast, pixels a second. */
const SPEED_PX_S = 60;
/** A round of another length makes the strip jump: only a change by so much is worth it. */
const LEAST_CHANGE = 0.1;
const WATCH_MS = 250;

interface Item {
  root: HTMLElement;
  price: HTMLElement;
  /** The sign of a price that is not fresh, and its word for whoever has it read to them. */
  mark: HTMLElement;
  word: HTMLElement;
  change: HTMLElement;
}

/** A scrolling strip of symbols: each stands on it twice, so that the end of one round is the beginning of the next. */
export class Tape {
  private readonly live: Live;
  private readonly texts: Texts;
  private readonly access: Access;
  private readonly format: Formatter;
  private readonly chip = new ConnectionChip(byId("connection"));
  private readonly strip = byId("tape");
  /** Why nothing stands on the strip. */
  private readonly status = element("p", { role: "status" });
  private readonly items = new Map<Row, Item[]>();
  /** A number became longer: what fitted may not fit any more. */
  private readonly grown = new ResizeObserver(() => this.pace());
  private round_s = 0;
  private readonly gate = new PaintGate(browserFrames, () => this.paint(this.live.store.drain()));

  constructor(private readonly face: Face, private readonly link: Link) {
    const prefs = loadPrefs(browserStorage("localStorage"), navigator.languages);
    colour(prefs);
    this.texts = new Texts(prefs.language ?? pickLanguage(navigator.languages));
    this.format = new Formatter(pickLocale(this.texts.language, navigator.languages));
    this.access = new Access(this.texts, () => this.sendInterest());
    this.strip.setAttribute("aria-label", this.texts.say("grid.label"));
    this.strip.append(this.status);
    this.live = new Live({
      dirty: () => this.gate.request(),
      symbols: (_symbols, changed) => changed && this.build(),
    });
    link.receive((message) => {
      this.live.receive(message);
      this.access.receive(message);
      if (message.type !== "quotes") this.watch();
    });
    document.addEventListener("visibilitychange", () => this.sendInterest());
    for (const name of ["online", "offline", "resize"]) addEventListener(name, () => this.sendInterest());
    addEventListener("resize", () => this.pace());
    setInterval(() => this.watch(), WATCH_MS);
    this.sendInterest();
  }

  private sendInterest(): void {
    const visible = !document.hidden;
    this.gate.visibilityChanged();
    this.link.want({
      type: "interest", visible, online: navigator.onLine, symbols: visible ? [...this.items.keys()].map((row) => row.symbol) : [],
      board_hz: boardHz(visible), symbol_hz: null, token: this.access.token,
    });
    this.watch();
  }

  private watch(): void {
    const changed = this.live.look([...this.items.keys()]);
    this.chip.show(this.live.connection, this.live.silence_ms(), this.live.phase, this.texts, this.live.obstacle);
    document.body.dataset.connection = this.live.connection;
    if (changed) this.paint(this.items.keys());
    setText(this.status, this.whyEmpty());
  }

  private build(): void {
    this.items.clear();
    const rows = [...this.live.store.rows.values()].filter((row) => shows(this.face, row.info));
    const rounds = [0, 1].map((round) => element("ul", round === 0 ? {} : { "aria-hidden": "true" }, ...rows.map((row) => this.item(row))));
    this.strip.replaceChildren(rows.length > 0 ? element("div", { class: "strip" }, ...rounds) : this.status);
    this.grown.disconnect();
    this.round_s = 0;
    if (rounds[0]) this.grown.observe(rounds[0]);
    this.paint(rows);
    this.pace();
    this.sendInterest();
  }

  /** Nothing for as long as nobody knows. */
  private whyEmpty(): string {
    const { isListed, phase, obstacle } = this.live;
    if (phase === "obstructed" && obstacle) return obstacleText(obstacle, this.texts);
    if (!isListed) return "";
    const symbols = [...this.live.store.rows.values()].map((row) => row.info);
    return whyEmpty({ symbols, listed: true, limits: this.face, search: "", filtered: false }, this.texts);
  }

  private item(row: Row): HTMLElement {
    const [price, change] = [element("span", { class: "price" }), element("span", { class: "change" })];
    const [mark, word] = [element("span", { class: "sign", "aria-hidden": "true" }), element("span", { class: "unseen" })];
    const root = element("li", { "data-symbol": row.symbol }, element("span", { class: "symbol" }, row.symbol), price, mark, word, change);
    const item = { root, price, mark, word, change };
    const items = this.items.get(row);
    if (items) items.push(item);
    else this.items.set(row, [item]);
    return root;
  }

  private paint(rows: Iterable<Row>): void {
    for (const row of rows) {
      const { quote } = row;
      const truth = this.live.truth(row);
      const change = truth.doubtful ? 0 : quote?.change ?? 0; // a move that nobody vouches for has no colour
      const sign = change > 0 ? "up" : change < 0 ? "down" : "flat";
      const arrow = { up: "▲ ", down: "▼ ", flat: "" }[sign];
      const moved = this.format.moved(quote?.change, quote?.change_pct, row.decimals);
      const title = this.title(row, truth);
      for (const item of this.items.get(row) ?? []) {
        showTruth(item.root, truth);
        item.root.dataset.sign = sign;
        setTitle(item.root, title);
        setText(item.mark, truth.mark);
        setText(item.word, truth.word === "fresh" ? "" : spokenWords(truth, this.texts));
        setText(item.price, quote ? this.format.price(quote.price, row.decimals) : "–");
        setText(item.change, moved && arrow + moved);
      }
    }
  }

  /** The name; of a price that is not fresh also why, and of when it is. */
  private title({ symbol, info, quote }: Row, truth: Truth): string {
    const why = explanation(truth, this.texts);
    const made = why && quote ? this.format.stamp(madeAt(quote), this.live.serverNow()) : "";
    return [info.name ?? symbol, why, made].filter(Boolean).join("\n");
  }

  /** One round takes as long as its width asks for, however many symbols stand on it. */
  private pace(): void {
    const strip = this.strip.querySelector<HTMLElement>(".strip");
    const round_px = strip?.firstElementChild?.getBoundingClientRect().width ?? 0;
    const round_s = Math.max(1, round_px / SPEED_PX_S);
    if (Math.abs(round_s - this.round_s) > LEAST_CHANGE * this.round_s) {
      this.round_s = round_s;
      strip?.style.setProperty("--round-s", `${round_s}s`);
    }
    strip?.toggleAttribute("data-fits", round_px <= this.strip.clientWidth);
  }
}
