import { shows, type Face } from "./face";
import { Flasher } from "./flash";
import { Formatter } from "./format";
import { MOST_ALIGNED, type FirstRows, type FirstTable } from "./first";
import { pickLanguage, pickLocale, Texts } from "./i18n/texts";
import { Live } from "./live";
import { Percentiles } from "./meter";
import type { Link } from "./net/link";
import type { LinkStats } from "./net/messages";
import { afterFrame, browserFrames, PaintGate, type PaintInfo } from "./paint";
import { boardHz } from "./pace";
import { Past } from "./past";
import { chosenColumns, colour, loadPrefs, savePrefs, type Prefs } from "./prefs";
import { browserStorage } from "./storage";
import type { Row } from "./store";
import { layoutOf, NARROW, type Layout } from "./table/columns";
import type { TableContext } from "./table/context";
import { copyTable } from "./table/copy";
import { Table } from "./table/grid";
import { Access } from "./ui/access";
import { Chrome } from "./ui/chrome";
import { Details } from "./ui/details";
import { byId } from "./ui/dom";
import { Viewport } from "./viewport";
import { inGroup, usedFeeds, type Quote, type SymbolInfo } from "./wire";

/** A tab that is only passed by (Ctrl-Tab) does not leave its symbols. */
const HIDDEN_GRACE_MS = 1000;
const WATCH_MS = 250;
const TICK_MS = 1000;

/** What was there before the table. */
interface Before {
  rows: FirstRows;
  table: FirstTable;
}

/** Composes the table's page: news goes into the store on arrival, the store is painted once a frame. */
export class App {
  private readonly prefs: Prefs = loadPrefs(browserStorage("localStorage"), navigator.languages);
  private readonly live: Live;
  private readonly ages = new Percentiles();
  private readonly delays = new Percentiles();
  private readonly narrow = matchMedia(NARROW);
  private readonly stillness = matchMedia("(prefers-reduced-motion: reduce)");
  private readonly context: TableContext;
  private readonly access: Access;
  private readonly gate: PaintGate;
  private readonly viewport: Viewport;
  private readonly table: Table;
  private readonly chrome: Chrome;
  private readonly details: Details;
  private visible = !document.hidden;
  private hiding: number | undefined;
  private order: Row[] = [];
  private search = "";

  constructor(private readonly face: Face, private readonly link: Link, private before: Before | undefined) {
    document.body.dataset.face = face.kind;
    if (face.kind === "kiosk") {
      byId("title").textContent = face.group ?? document.title;
      document.querySelector("header")?.append(byId("zone")); // a clock that is seen across the room
    }
    this.live = new Live({
      dirty: () => this.gate.request(),
      quotes: (quotes) => this.takeQuotes(quotes),
      symbols: (symbols, changed, gone) => this.takeSymbols(symbols, changed, gone),
      feeds: (feeds) => this.chrome.setFeeds(feeds),
      config: (config) => this.chrome.setConfig(config),
      hello: (hello) => this.chrome.setVersion(hello.version),
      rate: (max_hz) => this.chrome.setGranted(max_hz),
      stats: (stats) => this.showStats(stats),
    });
    if (before) this.live.store.remember(before.rows.epoch, before.rows.quotes);
    const texts = new Texts(this.prefs.language ?? pickLanguage(navigator.languages));
    this.access = new Access(texts, () => this.sendInterest());
    this.context = {
      texts, read: this.access.read, format: this.newFormatter(texts),
      flasher: new Flasher({ setTimer: (callback, delay_ms) => setTimeout(callback, delay_ms) }),
      layout: this.layout(),
      fraction: 0,
      past: new Past(this.access.read, () => this.live.serverNow(), () => this.table.repaint("spark")),
      truth: (row) => this.live.truth(row),
      serverNow: () => this.live.serverNow(),
    };
    this.gate = new PaintGate(browserFrames, (info) => this.paint(info));
    this.viewport = new Viewport(browserFrames, () => this.table.inView(), () => {
      this.sendInterest();
      this.watchPast();
    });
    this.table = new Table(byId("table"), {
      context: this.context, layout: this.layout(),
      styleNonce: document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content,
      columns: this.chosenColumns(),
      passes: (row) => this.passes(row),
      moved: () => this.viewport.moved(),
      scrolled: () => this.gate.scrolled(),
      columnsChanged: (columns) => face.kind === "desk" && this.save({ columns: { ...this.prefs.columns, [this.layout()]: columns } }),
      opened: (row) => face.kind === "desk" && this.details.open(row),
    });
    this.details = new Details(byId("details"), this.context, {
      closed: (row) => this.table.focusRow(row),
      changed: () => this.sendInterest(),
      spoken: (sentence, matters) => this.chrome.murmur(sentence, matters),
    });
    this.chrome = new Chrome(this.table, this.context, this.prefs, {
      changed: (change) => this.save(change),
      searched: (text) => {
        this.search = text.trim().toLowerCase();
        this.refilter();
      },
      grouped: (group) => this.save({ group }),
      copy: () => copyTable(this.table, this.context),
    });
    this.applyPrefs();
    this.chrome.setTime(this.live.serverNow());
    link.receive((message) => {
      this.live.receive(message);
      this.access.receive(message);
      if (message.type !== "quotes" && message.type !== "stats") this.watch();
      if (message.type === "phase" && message.phase === "synced") this.watchPast();
    });
    this.listen();
    this.showCount();
    this.sendInterest();
  }

  private listen(): void {
    document.addEventListener("visibilitychange", () => this.onVisibility());
    document.addEventListener("resume", () => this.watch());
    addEventListener("online", () => this.sendInterest());
    addEventListener("offline", () => this.sendInterest());
    this.narrow.addEventListener("change", () => {
      this.context.layout = this.layout();
      this.table.setLayout(this.layout(), this.chosenColumns());
    });
    this.stillness.addEventListener("change", () => this.applyPrefs());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.details.recolour());
    setInterval(() => this.watch(), WATCH_MS);
    setInterval(() => this.tick(), TICK_MS);
  }

  private takeSymbols(symbols: readonly SymbolInfo[], changed: boolean, gone: readonly Row[]): void {
    this.chrome.setSymbols(symbols); // first: the chosen group decides which rows pass
    this.chrome.setUsedFeeds(this.face.kind === "desk" ? undefined : usedFeeds(symbols.filter((info) => shows(this.face, info))));
    for (const row of gone) {
      this.context.past.delete(row.symbol);
      if (row === this.details.row) this.details.close();
    }
    if (!changed) return;
    this.order = symbols.flatMap((info) => this.live.store.rows.get(info.symbol) ?? []);
    this.table.setRows(this.order);
    this.showCount();
  }

  private takeQuotes(quotes: readonly Quote[]): void {
    for (const quote of quotes) {
      this.context.past.add(quote);
      this.details.take(quote);
    }
  }

  private watchPast(): void {
    if (this.live.phase === "synced") this.context.past.watch(this.viewport.symbols, this.live.store.generation, performance.now());
  }

  private paint({ now_ms, catchUp }: PaintInfo): void {
    this.watch(); // after a freeze this may be the first to run: nothing of before may be painted as new
    const rows = this.live.store.drain();
    this.table.paint(rows, now_ms, !catchUp && this.live.connection !== "recovering");
    this.table.grow(now_ms);
    this.takeOver();
    const server_ms = this.live.serverNow();
    const arrivals_ms: number[] = [];
    for (const row of rows) {
      if (row === this.details.row) this.details.update();
      if (row.arrived_ms > 0 && row.quote && !catchUp && this.table.cells.has(row)) {
        arrivals_ms.push(row.arrived_ms);
        this.ages.add(server_ms - row.quote.received_time);
      }
      row.arrived_ms = 0;
    }
    afterFrame(() => {
      const painted_ms = Date.now();
      for (const arrived_ms of arrivals_ms) this.delays.add(painted_ms - arrived_ms);
    });
  }

  /** The table is there, cells and all (the grid makes those a frame after their rows): what stood in its place goes. */
  private takeOver(): void {
    if (!this.before || this.table.cells.isEmpty()) return;
    this.before.table.remove();
    this.before = undefined;
  }

  /** Looks whether what is said of the connection still holds. */
  private watch(): void {
    const inView = this.viewport.symbols.flatMap((symbol) => this.live.store.rows.get(symbol) ?? []);
    const changed = this.live.look(inView.length > 0 ? inView : this.order);
    this.chrome.setConnection(this.live.connection, this.live.silence_ms(), this.live.phase, this.live.obstacle);
    if (!changed) return;
    this.table.repaint();
    this.details.paint();
    this.showCount();
  }

  private tick(): void {
    if (document.hidden) return;
    this.watch(); // after a pause of the machine this may be the first to run: no age grows beside a state that no longer holds
    this.table.grow(performance.now());
    this.takeOver();
    this.details.paint();
    this.table.reorder();
    this.watchPast(); // where the server had no answer, once more
    this.chrome.setTime(this.live.serverNow());
    this.context.fraction = Math.min(MOST_ALIGNED, this.order.reduce((most, row) => Math.max(most, row.decimals), 0));
    this.chrome.setFraction(this.context.fraction);
  }

  private showStats(stats: LinkStats): void {
    const [age_p50_ms, age_p99_ms] = this.ages.read(0.5, 0.99);
    const [paint_p99_ms] = this.delays.read(0.99);
    this.chrome.setStats({ ...stats, folded: this.live.store.folded, age_p50_ms, age_p99_ms, paint_p99_ms });
  }

  private showCount(): void {
    this.chrome.setCount(this.table.shownCount(), this.order.length, this.live.phase, this.face);
  }

  private passes(row: Row): boolean {
    const { face } = this;
    if (face.symbols && !face.symbols.has(row.symbol)) return false;
    const group = face.group ?? (face.kind === "desk" ? this.chrome.group : undefined);
    if (!inGroup(row.info, group)) return false;
    if (this.search === "") return true;
    return row.symbol.toLowerCase().includes(this.search) || (row.info.name ?? "").toLowerCase().includes(this.search);
  }

  private refilter(): void {
    this.table.filterChanged();
    this.showCount();
  }

  private onVisibility(): void {
    clearTimeout(this.hiding);
    if (document.hidden) this.hiding = window.setTimeout(() => this.setVisible(false), HIDDEN_GRACE_MS);
    else this.setVisible(true);
    this.gate.visibilityChanged();
  }

  private setVisible(visible: boolean): void {
    this.visible = visible;
    this.sendInterest();
  }

  private sendInterest(): void {
    const open = this.details.row?.symbol;
    const inView = this.viewport.symbols;
    const symbols = open === undefined || inView.includes(open) ? inView : [...inView, open];
    this.link.want({
      type: "interest", visible: this.visible, online: navigator.onLine, symbols: this.visible ? symbols : [],
      board_hz: boardHz(this.visible), symbol_hz: this.prefs.symbol_hz ?? null,
      token: this.access.token,
    });
    this.watch();
  }

  private layout(): Layout {
    return layoutOf(this.face, this.narrow.matches);
  }

  private chosenColumns(): Prefs["columns"]["wide"] {
    return chosenColumns(this.prefs, this.face, this.layout());
  }

  private save(change: Partial<Prefs>): void {
    Object.assign(this.prefs, change);
    savePrefs(browserStorage("localStorage"), this.prefs);
    if ("columns" in change) return;
    this.applyPrefs();
    if ("language" in change) this.applyLanguage();
    if ("group" in change) this.refilter();
    if ("symbol_hz" in change) this.sendInterest();
  }

  private applyPrefs(): void {
    colour(this.prefs);
    this.details.recolour();
    this.context.flasher.enabled = this.prefs.flash && !this.stillness.matches;
  }

  private applyLanguage(): void {
    this.context.texts = new Texts(this.prefs.language ?? pickLanguage(navigator.languages));
    this.context.format = this.newFormatter(this.context.texts);
    this.table.relabel(this.layout());
    this.chrome.relabel();
    this.access.setTexts(this.context.texts);
    this.chrome.setTime(this.live.serverNow());
    this.details.relabel();
    this.showCount();
  }

  private newFormatter(texts: Texts): Formatter {
    return new Formatter(pickLocale(texts.language, navigator.languages));
  }
}
