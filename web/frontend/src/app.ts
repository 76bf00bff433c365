import { Flasher } from "./flash";
import { Formatter } from "./format";
import { connectionOf, displayState, ServerClock, type Connection, type LinkPhase } from "./freshness";
import { pickLanguage, pickLocale, Texts } from "./i18n/texts";
import { Percentiles } from "./meter";
import { Link } from "./net/link";
import type { FromHub, LinkStats } from "./net/messages";
import { browserFrames, PaintGate, type PaintInfo } from "./paint";
import { loadPrefs, savePrefs, type Prefs } from "./prefs";
import { SparkBook } from "./spark";
import { Store, type Row } from "./store";
import type { TableContext } from "./table/context";
import { copyTable } from "./table/copy";
import { Table } from "./table/grid";
import { Chrome } from "./ui/chrome";
import { Details } from "./ui/details";
import { byId } from "./ui/dom";
import { Viewport } from "./viewport";
import { names, type FeedInfo } from "./wire";

/** The pace of the board, updates a second: rows out of view, and everything while the tab is hidden. */
const BOARD_HZ = 1;
const HIDDEN_HZ = 0.2;
/** A tab that is only passed by (Ctrl-Tab) does not leave its symbols. */
const HIDDEN_GRACE_MS = 1000;
const WATCH_MS = 250;
const TICK_MS = 1000;
const NARROW = "(max-width: 640px)";

/** Composes the page: messages go into the store on arrival, the store is painted once a frame. */
export class App {
  private readonly prefs: Prefs = loadPrefs(localStorage);
  private readonly store = new Store();
  private readonly clock = new ServerClock();
  private readonly feeds = new Map<string, FeedInfo>();
  private readonly ages = new Percentiles();
  /** From the arrival of a price in this page to its painting, ms. */
  readonly paintDelays = new Percentiles();
  private readonly narrow = matchMedia(NARROW);
  private readonly context: TableContext;
  private readonly gate: PaintGate;
  private readonly viewport: Viewport;
  private readonly table: Table;
  private readonly chrome: Chrome;
  private readonly details: Details;
  private readonly link: Link;
  private connection: Connection = "recovering";
  private phase: LinkPhase = "connecting";
  private heartbeat_s = 5;
  private word_ms = 0;
  private visible = !document.hidden;
  private hiding: number | undefined;
  private order: Row[] = [];
  private search = "";

  constructor() {
    const texts = new Texts(this.prefs.language ?? pickLanguage(navigator.languages));
    this.context = {
      texts, format: this.newFormatter(texts),
      flasher: new Flasher({ setTimer: (callback, delay_ms) => setTimeout(callback, delay_ms) }),
      sparks: new SparkBook(),
      state: (row) => displayState(row, this.store.generation, this.connection),
      serverNow: () => this.clock.at(Date.now()),
    };
    this.gate = new PaintGate(browserFrames, (info) => this.paint(info));
    this.viewport = new Viewport(browserFrames, () => this.table.inView(), () => this.sendInterest());
    const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
    this.table = new Table(byId("table"), {
      context: this.context, narrow: this.narrow.matches, styleNonce: nonce, columns: this.prefs.columns[this.layout()],
      passes: (row) => this.passes(row),
      moved: () => this.viewport.moved(),
      columnsChanged: (columns) => this.save({ columns: { ...this.prefs.columns, [this.layout()]: columns } }),
      opened: (row) => this.details.open(row),
    });
    this.details = new Details(byId("details"), this.context, (row) => this.table.focusRow(row), () => this.sendInterest());
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
    this.link = new Link(!new URLSearchParams(location.search).has("noworker"), (message) => this.receive(message));
    this.listen();
    this.sendInterest();
    this.watch();
  }

  private listen(): void {
    document.addEventListener("visibilitychange", () => this.onVisibility());
    addEventListener("online", () => this.sendInterest());
    addEventListener("offline", () => this.sendInterest());
    document.addEventListener("resume", () => this.watch());
    this.narrow.addEventListener("change", () => this.onLayout());
    setInterval(() => this.watch(), WATCH_MS);
    setInterval(() => this.tick(), TICK_MS);
  }

  private receive(message: FromHub): void {
    if ("word_ms" in message) this.word_ms = Math.max(this.word_ms, message.word_ms);
    switch (message.type) {
      case "phase":
        this.phase = message.phase;
        break;
      case "hello":
        this.clock.sample(message.hello.server_time, message.word_ms);
        this.heartbeat_s = message.hello.heartbeat_s;
        this.store.begin(message.hello.epoch);
        this.chrome.setVersion(message.hello.version);
        this.gate.request();
        break;
      case "beat":
        this.clock.sample(message.server_time, message.word_ms);
        break;
      case "symbols":
        this.takeSymbols(message.symbols);
        break;
      case "removed":
        this.takeRemoved(message.symbol);
        break;
      case "quotes":
        this.takeQuotes(message.quotes);
        return; // the connection is looked at four times a second anyway
      case "feeds":
        this.feeds.clear();
        for (const feed of message.feeds) this.feeds.set(feed.feed, feed);
        this.chrome.setFeeds(message.feeds);
        break;
      case "config":
        this.chrome.setConfig(message.config);
        break;
      case "rate":
        break;
      case "stats":
        this.showStats(message.stats);
        return;
    }
    this.watch();
  }

  private takeSymbols(symbols: Parameters<Store["applySymbols"]>[0]): void {
    this.chrome.setSymbols(symbols); // first: the chosen group decides which rows pass
    const { added, removed } = this.store.applySymbols(symbols);
    for (const row of removed) this.forget(row);
    const moved = this.order.length !== this.store.rows.size || symbols.some((info, index) => this.order[index]?.symbol !== info.symbol);
    if (added.length > 0 || removed.length > 0 || moved) this.setRows(symbols.map((info) => info.symbol));
    this.gate.request();
  }

  private takeRemoved(symbol: string): void {
    const row = this.store.remove(symbol);
    if (!row) return;
    this.forget(row);
    this.setRows();
  }

  private forget(row: Row): void {
    this.context.sparks.delete(row.symbol);
    if (row === this.details.row) this.details.close();
  }

  /** `order`: the symbols as the settings list them. */
  private setRows(order: readonly string[] = this.order.map((row) => row.symbol)): void {
    this.order = order.flatMap((symbol) => this.store.rows.get(symbol) ?? []);
    this.table.setRows(this.order);
    this.showCount();
  }

  private takeQuotes(quotes: Parameters<Store["applyQuotes"]>[0]): void {
    this.store.applyQuotes(quotes, performance.now());
    for (const quote of quotes) this.context.sparks.add(quote.symbol, quote.price, quote.received_time);
    this.gate.request();
  }

  private paint({ now_ms, catchUp }: PaintInfo): void {
    const rows = this.store.drain();
    this.table.paint(rows, now_ms, !catchUp && this.connection !== "recovering");
    const server_ms = this.context.serverNow();
    for (const row of rows) {
      if (row === this.details.row) this.details.update();
      if (row.arrived_ms > 0 && row.quote && this.table.cells.has(row)) {
        this.paintDelays.add(now_ms - row.arrived_ms);
        this.ages.add(server_ms - row.quote.received_time);
      }
      row.arrived_ms = 0;
    }
  }

  /** Looks whether what is said of the connection still holds. */
  private watch(): void {
    const inView = this.viewport.symbols.flatMap((symbol) => this.store.rows.get(symbol) ?? []);
    const silence_ms = this.word_ms === 0 ? Infinity : Date.now() - this.word_ms;
    const connection = connectionOf({
      browserOnline: navigator.onLine, phase: this.phase, silence_ms, heartbeat_s: this.heartbeat_s,
      inView: inView.length > 0 ? inView : this.order, feeds: this.feeds,
    });
    const changed = connection !== this.connection;
    this.connection = connection;
    this.chrome.setConnection(connection, silence_ms);
    if (!changed) return;
    this.table.repaint();
    this.details.paint();
  }

  private tick(): void {
    if (document.hidden) return;
    this.table.repaint("age");
    this.details.paint();
    this.table.reorder();
    const fraction = this.order.reduce((most, row) => Math.max(most, row.decimals), 0);
    this.chrome.setFraction(Math.min(fraction, 4));
  }

  private showStats(stats: LinkStats): void {
    const [age_p50_ms, age_p99_ms] = this.ages.read(0.5, 0.99);
    this.chrome.setStats({ ...stats, folded: this.store.folded, age_p50_ms, age_p99_ms });
  }

  private showCount(): void {
    this.chrome.setCount(this.table.shownCount(), this.order.length, this.phase);
  }

  private passes(row: Row): boolean {
    const group = this.chrome.group;
    if (group !== undefined && !names(row.info.group).includes(group)) return false;
    if (this.search === "") return true;
    return row.symbol.toLowerCase().includes(this.search) || (row.info.name ?? "").toLowerCase().includes(this.search);
  }

  private refilter(): void {
    this.table.filterChanged();
    this.showCount();
  }

  private onVisibility(): void {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = window.setTimeout(() => this.setVisible(false), HIDDEN_GRACE_MS);
    } else {
      this.setVisible(true);
      this.watch();
    }
    this.gate.visibilityChanged();
  }

  private setVisible(visible: boolean): void {
    this.visible = visible;
    this.sendInterest();
  }

  private sendInterest(): void {
    const open = this.details.row?.symbol;
    const symbols = open === undefined || this.viewport.symbols.includes(open) ? this.viewport.symbols : [...this.viewport.symbols, open];
    this.link.want({
      type: "interest", visible: this.visible, online: navigator.onLine, symbols: this.visible ? symbols : [],
      board_hz: this.visible ? BOARD_HZ : HIDDEN_HZ, symbol_hz: this.prefs.symbol_hz ?? null,
    });
    this.watch();
  }

  private layout(): "wide" | "narrow" {
    return this.narrow.matches ? "narrow" : "wide";
  }

  private onLayout(): void {
    this.table.setLayout(this.narrow.matches, this.prefs.columns[this.layout()]);
  }

  private save(change: Partial<Prefs>): void {
    Object.assign(this.prefs, change);
    savePrefs(localStorage, this.prefs);
    if ("columns" in change) return;
    this.applyPrefs();
    if ("language" in change) this.applyLanguage();
    if ("group" in change) this.refilter();
    if ("symbol_hz" in change) this.sendInterest();
  }

  private applyPrefs(): void {
    const root = document.documentElement;
    root.dataset.theme = this.prefs.theme;
    root.dataset.palette = this.prefs.palette;
    this.details.recolour();
    this.context.flasher.enabled = this.prefs.flash && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  private applyLanguage(): void {
    this.context.texts = new Texts(this.prefs.language ?? pickLanguage(navigator.languages));
    this.context.format = this.newFormatter(this.context.texts);
    this.table.relabel(this.narrow.matches);
    this.chrome.relabel();
    this.showCount();
  }

  private newFormatter(texts: Texts): Formatter {
    return new Formatter(pickLocale(texts.language, navigator.languages));
  }
}
