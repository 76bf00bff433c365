import { MOST_ALIGNED, type FirstRows, type FirstTable } from "./first-paint";
import { PriceHistory } from "./history/price-history";
import { pickLanguage, pickLocale, Texts } from "./i18n/texts";
import { Formatter } from "./model/format";
import { Live } from "./model/live";
import type { LinkStats } from "./model/messages";
import type { Row } from "./model/store";
import { usedFeeds, type Quote, type SymbolInfo } from "./model/wire";
import type { Link } from "./net/link";
import type { TableContext } from "./table/context";
import { copyTable } from "./table/copy";
import type { Standing } from "./table/faults";
import { Table } from "./table/grid";
import { pointerOver, OrderHold, listenToPointer } from "./table/order-hold";
import { TableWatchdog } from "./table/watchdog";
import { Widths } from "./table/widths";
import { Access } from "./ui/access";
import { Chrome } from "./ui/chrome";
import { Details } from "./ui/details";
import { byId } from "./ui/dom";
import type { Address } from "./view/address";
import { shows, type Face } from "./view/face";
import { Flasher } from "./view/flash";
import { layoutOf, NARROW, type Layout } from "./view/layout";
import { browserFrames, PaintGate, type PaintInfo } from "./view/paint";
import { PaintMeter } from "./view/paint-meter";
import { chosenColumns, colour, type Prefs } from "./view/prefs";
import { SyncedPrefs } from "./view/synced-prefs";
import { passes, type View } from "./view/view";
import { Viewport } from "./view/viewport";
import { boardHz, TabVisibility } from "./view/visibility";

const WATCH_MS = 250;
const TICK_MS = 1000;

/** What was there before the table. */
interface Before {
  rows: FirstRows;
  table: FirstTable;
}

/** Composes the table's page: news goes into the store on arrival, the store is painted once a frame. */
export class App {
  private readonly syncedPrefs = new SyncedPrefs((before, isTheirs) => this.follow(before, isTheirs));
  private readonly prefs = this.syncedPrefs.prefs;
  private readonly live: Live;
  private readonly meter = new PaintMeter();
  private readonly narrow = matchMedia(NARROW);
  private readonly stillness = matchMedia("(prefers-reduced-motion: reduce)");
  private readonly context: TableContext;
  private readonly access: Access;
  private readonly gate: PaintGate;
  private readonly viewport: Viewport;
  private readonly table: Table;
  private readonly chrome: Chrome;
  private readonly details: Details;
  private readonly visibility = new TabVisibility(() => this.sendInterest());
  private order: Row[] = [];
  private readonly hold = new OrderHold(pointerOver(byId("table")));
  private readonly watchdog = new TableWatchdog(() => this.table, (standing) => this.showStanding(standing));

  constructor(private readonly face: Face, private readonly address: Address, private readonly link: Link, private before: Before | undefined) {
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
      texts, pointable: true, read: this.access.read, format: this.newFormatter(texts),
      flasher: new Flasher({ setTimer: (callback, delay_ms) => setTimeout(callback, delay_ms) }),
      layout: this.layout(),
      widths: new Widths(),
      fraction: 0,
      history: new PriceHistory(this.access.read, () => this.live.serverNow(), () => this.table.repaint("spark")),
      truth: (row) => this.live.truth(row),
      serverNow: () => this.live.serverNow(),
    };
    this.gate = new PaintGate(browserFrames, (info) => this.paint(info));
    this.viewport = new Viewport(browserFrames, () => this.table.rowsInView().map((row) => row.symbol), () => {
      this.sendInterest();
      this.watchHistory();
    });
    this.table = new Table(byId("table"), {
      context: this.context, layout: this.layout(),
      styleNonce: document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content,
      columns: this.chosenColumns(),
      sort: address.view.sort,
      holds: () => face.kind === "desk" && this.hold.holds,
      ordered: () => this.hold.ordered(),
      passes: (row) => passes(row.info, this.address.view, face.symbols),
      moved: () => this.viewport.moved(),
      scrolled: () => {
        this.watchdog.scrolled();
        this.gate.scrolled();
      },
      rowsChanged: () => this.showCount(),
      columnsChanged: (columns) => face.kind === "desk" && this.syncedPrefs.save({ columns: { ...this.prefs.columns, [this.layout()]: columns } }),
      sorted: (sort) => address.change({ sort }),
      opened: (row) => this.open(row),
      failed: (error) => this.watchdog.failed(error),
    });
    listenToPointer(byId("table"), this.hold, (id) => {
      const row = this.table.rowOf(id);
      if (row) this.open(row);
    });
    this.details = new Details(byId("details"), this.context, {
      closed: (row) => this.table.focusRow(row),
      changed: () => {
        address.change({ symbol: this.details.row?.symbol });
        this.sendInterest();
      },
      spoken: (sentence, matters) => this.chrome.murmur(sentence, matters),
    });
    this.chrome = new Chrome(this.table, this.context, this.prefs, address.view, {
      changed: (change) => this.syncedPrefs.save(change),
      searched: (q) => this.choose({ q }),
      grouped: (group) => this.choose({ group }),
      copy: () => copyTable(this.table, this.context),
    });
    this.recolour();
    this.setFlashing();
    this.chrome.setTime(this.live.serverNow());
    link.receive((message) => {
      this.live.receive(message);
      this.access.receive(message);
      if (message.type !== "quotes" && message.type !== "stats") this.watch();
      if (message.type === "phase" && message.phase === "synced") this.watchHistory();
    });
    this.listen();
    this.showCount();
    this.sendInterest();
  }

  private listen(): void {
    document.addEventListener("visibilitychange", () => this.gate.visibilityChanged());
    document.addEventListener("resume", () => this.watch());
    addEventListener("online", () => this.sendInterest());
    addEventListener("offline", () => this.sendInterest());
    this.narrow.addEventListener("change", () => {
      this.context.layout = this.layout();
      this.table.setLayout(this.layout(), this.chosenColumns());
    });
    this.stillness.addEventListener("change", () => this.setFlashing());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.details.recolour());
    setInterval(() => this.watch(), WATCH_MS);
    setInterval(() => this.tick(), TICK_MS);
  }

  private takeSymbols(symbols: readonly SymbolInfo[], changed: boolean, gone: readonly Row[]): void {
    this.chrome.setSymbols(symbols); // first: the chosen group decides which rows pass
    this.chrome.setUsedFeeds(this.face.kind === "desk" ? undefined : usedFeeds(symbols.filter((info) => shows(this.face, info))));
    for (const row of gone) {
      this.context.history.delete(row.symbol);
      if (row === this.details.row) this.details.close();
    }
    if (changed) {
      this.order = symbols.flatMap((info) => this.live.store.rows.get(info.symbol) ?? []);
      this.align();
      this.table.setRows(this.order);
    } else {
      this.table.revise(); // names and groups
    }
    const awaited = this.address.view.symbol;
    const row = awaited !== undefined && !this.details.row ? this.live.store.rows.get(awaited) : undefined;
    if (row) this.details.open(row, false);
  }

  /** By a click, a tap, or Enter. */
  private open(row: Row): void {
    if (this.face.kind === "desk") this.details.open(row);
  }

  private takeQuotes(quotes: readonly Quote[]): void {
    for (const quote of quotes) {
      const { rows, generation } = this.live.store;
      this.context.history.add(quote, rows.get(quote.symbol)?.info.volume_of, generation);
      this.details.take(quote);
    }
  }

  private watchHistory(): void {
    if (this.live.phase === "synced") this.context.history.watch(this.viewport.symbols, this.live.store.generation, performance.now());
  }

  private paint({ now_ms, catchUp }: PaintInfo): void {
    this.watch(); // after a freeze this may be the first to run: nothing of before may be painted as new
    const rows = this.live.store.drain();
    if (rows.some(({ decimals }) => Math.min(MOST_ALIGNED, decimals) > this.context.fraction)) this.align();
    this.table.paint(rows, now_ms, !catchUp && this.live.connection !== "recovering");
    this.table.paintSlowCells(now_ms);
    this.takeOver();
    if (rows.some((row) => row === this.details.row)) this.details.update();
    this.meter.painted(rows, this.live.serverNow(), (row) => !catchUp && this.table.cells.has(row));
  }

  /** The table is there, cells and all (the grid makes those a frame after their rows), or is to have none: what stood in its place goes. */
  private takeOver(): void {
    if (!this.before || (this.table.cells.isEmpty() && !(this.live.isListed && this.table.shownCount() === 0))) return;
    this.before.table.remove();
    this.before = undefined;
  }

  /** Looks whether what is said of the connection still holds. */
  private watch(): void {
    const inView = this.viewport.symbols.flatMap((symbol) => this.live.store.rows.get(symbol) ?? []);
    const changed = this.live.look(inView.length > 0 ? inView : this.order);
    this.chrome.setConnection(this.live.connection, this.live.silence_ms(), this.live.phase, this.live.obstacle);
    this.chrome.setHeld(this.face.kind === "desk" && this.hold.rests && this.table.isLive());
    if (!changed) return;
    this.table.repaint();
    this.details.paint();
    this.showCount(); // whether there are no rows yet, or none at all
  }

  private tick(): void {
    if (document.hidden) return;
    this.watchdog.look();
    this.watch(); // after a pause of the machine this may be the first to run: no age grows beside a state that no longer holds
    this.table.paintSlowCells(performance.now());
    this.takeOver();
    this.details.paint();
    this.table.reorder();
    this.watchHistory(); // where the server had no answer, once more
    this.chrome.setTime(this.live.serverNow());
    this.align();
  }

  /** Decimal points stand under one another in all rows. */
  private align(): void {
    this.context.fraction = Math.min(MOST_ALIGNED, this.order.reduce((most, row) => Math.max(most, row.decimals), 0));
    this.chrome.setFraction(this.context.fraction);
  }

  private showStats(stats: LinkStats): void {
    this.chrome.setStats({ ...stats, folded: this.live.store.folded, ...this.meter.read() });
  }

  private showCount(): void {
    const limits = { group: this.address.view.group, symbols: this.face.symbols };
    this.chrome.setCount(this.table.shownCount(), this.order.length, this.live.isListed, limits);
  }

  /** The reader looks at other rows. */
  private choose(change: Partial<View>): void {
    this.address.change(change);
    this.table.filterChanged();
  }

  /** What the page says of its table. Where rebuilding does not help nobody vouches for any price in it. */
  private showStanding(standing: Standing): void {
    this.live.isShown = standing !== "broken";
    this.chrome.setStanding(standing);
    this.watch();
  }

  private sendInterest(): void {
    const { visible } = this.visibility;
    const open = this.details.row?.symbol;
    const inView = this.viewport.symbols;
    const symbols = open === undefined || inView.includes(open) ? inView : [...inView, open];
    this.link.want({
      type: "interest", visible, online: navigator.onLine, symbols: visible ? symbols : [], board_hz: boardHz(visible),
      symbol_hz: this.prefs.symbol_hz ?? null, token: this.access.token,
    });
    this.watch();
  }

  private layout(): Layout {
    return layoutOf(this.face, this.narrow.matches);
  }

  private chosenColumns(): Prefs["columns"]["wide"] {
    return chosenColumns(this.prefs, this.face, this.layout());
  }

  /** The reader's preferences have changed, here or in another tab. What is looked at is each window's own. */
  private follow(before: Prefs, isTheirs: boolean): void {
    const { prefs } = this;
    if (prefs.theme !== before.theme || prefs.palette !== before.palette) this.recolour();
    if (prefs.language !== before.language) this.applyLanguage();
    if (prefs.symbol_hz !== before.symbol_hz) this.sendInterest();
    this.setFlashing();
    if (!isTheirs) return;
    this.table.adoptColumns(this.chosenColumns());
    this.chrome.relabel(); // a menu may be open
  }

  private recolour(): void {
    colour(this.prefs);
    this.details.recolour();
  }

  private setFlashing(): void {
    this.context.flasher.enabled = this.prefs.flash && !this.stillness.matches;
  }

  private applyLanguage(): void {
    this.context.texts = new Texts(this.prefs.language ?? pickLanguage(navigator.languages));
    this.context.format = this.newFormatter(this.context.texts);
    this.table.relabel();
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
