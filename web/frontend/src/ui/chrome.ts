import type { TextKey } from "../i18n/en";
import type { Connection, LinkPhase, Obstacle } from "../model/connection";
import type { ConfigReport, FeedInfo, SymbolInfo } from "../model/wire";
import type { TableContext } from "../table/context";
import type { Standing } from "../table/faults";
import type { Table } from "../table/grid";
import type { Face } from "../view/face";
import type { Prefs } from "../view/prefs";
import { setText, setTitle } from "../view/set-text";
import type { View } from "../view/view";
import { Announcer } from "./announcer";
import { Banners } from "./banners";
import { ColumnsMenu } from "./columns-menu";
import { ConnectionChip, connectionWord } from "./connection-chip";
import { byId, element } from "./dom";
import { whyEmpty } from "./empty";
import { keepReachable, showFeeds } from "./feeds";
import { Groups } from "./groups";
import { LazyAddSymbol } from "./lazy-add-symbol";
import { showStats, type PageStats } from "./stats";
import { ViewMenu } from "./view-menu";

export interface ChromeActions {
  changed(change: Partial<Prefs>): void;
  searched(text: string): void;
  grouped(group: string | undefined): void;
  copy(): Promise<number | undefined>;
}

/** Everything around the table: header, menus, banners, footer. */
export class Chrome {
  private readonly announcer = new Announcer(byId("announcer"), {
    now: () => performance.now(), setTimer: (callback, delay_ms) => setTimeout(callback, delay_ms),
  });
  private readonly chip = new ConnectionChip(byId("connection"));
  private readonly search = byId<HTMLInputElement>("search");
  private readonly banners: Banners;
  private readonly groups: Groups;
  private readonly columns: ColumnsMenu;
  private readonly view: ViewMenu;
  private readonly addSymbol: LazyAddSymbol;
  /** The word for the connection as it was read out last. */
  private said: TextKey | undefined;
  private feeds: readonly FeedInfo[] = [];
  private used: ReadonlySet<string> | undefined;
  private symbols: readonly SymbolInfo[] = [];

  constructor(
    private readonly table: Table, private readonly context: TableContext, private readonly prefs: Prefs, view: View,
    private readonly actions: ChromeActions,
  ) {
    const { texts } = context;
    this.banners = new Banners(byId("banners"), texts, (sentence) => this.announcer.say(sentence));
    this.groups = new Groups(byId("groups"), texts, view.group, actions.grouped);
    this.columns = new ColumnsMenu(byId("columns-menu"), table, texts);
    this.view = new ViewMenu(byId("view-menu"), prefs, texts, actions);
    this.addSymbol = new LazyAddSymbol(byId<HTMLDialogElement>("add-symbol"), texts);
    byId("add-button").addEventListener("click", () => this.addSymbol.open());
    this.search.value = view.q;
    this.search.addEventListener("input", () => actions.searched(this.search.value));
    this.search.addEventListener("keydown", (event) => event.key === "Escape" && this.clearSearch(table));
    document.addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("resize", () => keepReachable(byId("feeds")));
    this.relabel();
  }

  setConnection(connection: Connection, silence_ms: number, phase: LinkPhase, obstacle?: Obstacle): void {
    const { texts } = this.context;
    this.chip.show(connection, silence_ms, phase, texts, obstacle);
    this.banners.setObstacle(phase === "obstructed" ? obstacle : undefined);
    const said = connectionWord(connection, phase);
    if (said === this.said) return;
    document.body.dataset.connection = connection;
    if (this.said !== undefined) this.announcer.say(texts.say("connection.announce", { state: texts.say(said) }));
    this.said = said;
  }

  setVersion(version: string): void {
    this.view.version = version;
  }

  /** What the server grants for a row in view, updates a second. */
  setGranted(granted_hz: number): void {
    this.view.setGranted(granted_hz);
  }

  /** The open symbol's price, for a reader who can't see it. */
  murmur(sentence: () => string, matters: boolean): void {
    if (this.prefs.speak) this.announcer.murmur(sentence, matters);
  }

  /** `feeds`: those of the rows shown; undefined: all there are, and the settings are this reader's business too. */
  setUsedFeeds(feeds: ReadonlySet<string> | undefined): void {
    this.used = feeds;
    this.banners.setUsed(feeds);
    this.showFeeds();
  }

  setSymbols(symbols: readonly SymbolInfo[]): void {
    this.symbols = symbols;
    this.groups.setSymbols(symbols);
    this.addSymbol.setSymbols(new Set(symbols.map((info) => info.symbol)));
  }

  setFeeds(feeds: readonly FeedInfo[]): void {
    this.feeds = feeds;
    this.showFeeds();
    this.banners.setFeeds(feeds);
    this.addSymbol.setFeeds(feeds.map((feed) => feed.feed));
  }

  /** Whether the table could be shown. */
  setStanding(standing: Standing): void {
    this.banners.setStanding(standing);
  }

  /** Whether prices would move the rows, and may not at the moment. */
  setHeld(held: boolean): void {
    setText(byId("held"), held ? this.context.texts.say("rows.held") : "");
    setTitle(byId("held"), held ? this.context.texts.say("rows.held.help") : "");
  }

  setConfig(config: ConfigReport): void {
    this.banners.setConfig(config);
  }

  setStats(stats: PageStats): void {
    showStats(byId("stats"), stats, this.context.texts);
  }

  /** How many rows there are, and where there is none, why. `listed`: which symbols there are is known; `limits`: what the address limits them to. */
  setCount(shown: number, all: number, listed: boolean, limits: Pick<Face, "group" | "symbols">): void {
    const { texts } = this.context;
    setText(byId("count"), !listed ? "" : shown === all ? texts.say("rows.count", { shown }) : texts.say("rows.filtered", { shown, all }));
    const search = this.search.value.trim();
    setText(byId("empty"), shown > 0 ? "" : whyEmpty({ symbols: this.symbols, listed, limits, search, filtered: this.table.isFiltered() }, texts));
  }

  /** Digits after the point that columns of prices keep room for. */
  setFraction(digits: number): void {
    byId("table").style.setProperty("--fraction", String(digits));
  }

  /** The time now by the server's clock (epoch ms), in the zone that all times are shown in. */
  setTime(now_ms: number): void {
    const { texts, format } = this.context;
    setText(byId("zone"), `${format.time(now_ms)} ${format.zone(now_ms)}`);
    setTitle(byId("zone"), texts.say("zone.help", { zone: format.zoneName() }));
  }

  /** The language changed: every text anew. */
  relabel(): void {
    const { texts } = this.context;
    document.documentElement.lang = texts.language === "zh" ? "zh-Hans" : texts.language;
    this.search.placeholder = texts.say("search.placeholder");
    this.search.setAttribute("aria-label", texts.say("search.label"));
    this.addSymbol.setTexts(texts);
    labelTool("add-button", texts.say("add.button"));
    labelTool("columns-button", texts.say("columns.button"));
    labelTool("view-button", texts.say("view.button"));
    this.groups.setTexts(texts);
    this.banners.setTexts(texts);
    this.columns.setTexts(texts);
    this.view.setTexts(texts);
    this.showFeeds();
  }

  private showFeeds(): void {
    showFeeds(byId("feeds"), this.feeds.filter(({ feed }) => this.used?.has(feed) ?? true), this.context);
  }

  private clearSearch(table: Table): void {
    this.search.value = "";
    this.actions.searched("");
    table.focus();
  }

  private onKey(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.search.focus();
    this.search.select();
  }
}

function labelTool(id: string, label: string): void {
  byId(id).replaceChildren(element("span", { class: "icon-mark", "aria-hidden": "true" }), label);
  byId(id).title = label;
}
