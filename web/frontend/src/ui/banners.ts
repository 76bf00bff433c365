import type { Texts } from "../i18n/texts";
import type { Obstacle } from "../model/connection";
import type { ConfigReport, FeedInfo } from "../model/wire";
import type { Standing } from "../table/faults";
import { obstacleText } from "./connection-chip";
import { button, element } from "./dom";

interface Banner {
  key: string;
  tone: "bad" | "note";
  text: string;
}

/**
 * What needs the reader's eye, in a line below the table: a reload that failed, a feed that is down. Gone when the cause is. No row moves
 * for it; several are one line, until the reader wants to see them all.
 */
export class Banners {
  private config: ConfigReport | undefined;
  private feeds: readonly FeedInfo[] = [];
  private used: ReadonlySet<string> | undefined;
  private obstacle: Obstacle | undefined;
  private standing: Standing = "whole";
  private readonly dismissed = new Set<string>();
  /** What was there when the reader was last told, and what is shown at the moment. */
  private told: ReadonlySet<string> = new Set();
  private shown = "";
  private open = false;

  constructor(private readonly root: HTMLElement, private texts: Texts, private readonly announce: (sentence: string) => void) {}

  setTexts(texts: Texts): void {
    this.texts = texts;
    this.show();
  }

  setConfig(config: ConfigReport): void {
    this.config = config;
    this.show();
  }

  setFeeds(feeds: readonly FeedInfo[]): void {
    this.feeds = feeds;
    this.show();
  }

  /** How the table stands: whole, rebuilt, or broken. */
  setStanding(standing: Standing): void {
    this.standing = standing;
    this.show();
  }

  /** Only these feeds matter here, and no settings; undefined: everything does. */
  setUsed(feeds: ReadonlySet<string> | undefined): void {
    this.used = feeds;
    this.show();
  }

  /** What keeps the page from the server. Looked at often: shown anew only where it is another one. */
  setObstacle(obstacle: Obstacle | undefined): void {
    if (obstacle?.reason === this.obstacle?.reason && obstacle?.status === this.obstacle?.status) return;
    this.obstacle = obstacle;
    this.show();
  }

  private show(): void {
    const due = [...this.tableBanners(), ...this.obstacleBanners(), ...this.configBanners(), ...this.feedBanners()];
    for (const key of this.dismissed) if (!due.some((banner) => banner.key === key)) this.dismissed.delete(key);
    const wanted = due.filter((banner) => !this.dismissed.has(banner.key));
    const news = wanted.filter((banner) => !this.told.has(banner.key));
    if (news.length > 0) this.announce(news.map((banner) => banner.text).join(". "));
    this.told = new Set(wanted.map((banner) => banner.key));
    if (wanted.length < 2) this.open = false;
    this.build(wanted);
  }

  /** Builds it anew where it is not what is shown: what has the focus keeps it while nothing changes. */
  private build(wanted: readonly Banner[]): void {
    const content = JSON.stringify([this.texts.language, this.open, wanted]);
    if (content === this.shown) return;
    this.shown = content;
    const focused = this.root.contains(document.activeElement);
    this.root.hidden = wanted.length === 0;
    this.root.setAttribute("aria-label", this.texts.say("banner.label"));
    const folded = wanted.length > 1 && !this.open;
    const lines = folded ? [this.line(wanted, true)] : wanted.map((banner, index) => this.line([banner], index === 0 && wanted.length > 1));
    this.root.replaceChildren(...lines);
    if (focused) this.root.querySelector("button")?.focus();
  }

  /** One line, of one banner or of all; with a button that shows more or fewer where there are several. */
  private line(banners: readonly Banner[], several: boolean): HTMLElement {
    const [first] = banners;
    const texts = banners.map((banner) => banner.text).join(" · ");
    const text = banners.length > 1 ? this.texts.say("banner.several", { count: banners.length, texts }) : texts;
    const toggle = button(this.texts.say(this.open ? "banner.less" : "banner.more"), () => {
      this.open = !this.open;
      this.show();
    }, { class: "more", "aria-expanded": String(this.open) });
    const label = this.texts.say(banners.length > 1 ? "banner.dismiss_all" : "banner.dismiss");
    const dismiss = button("✕", () => {
      for (const banner of banners) this.dismissed.add(banner.key);
      this.show();
    }, { class: "dismiss", "aria-label": label, title: label });
    const tone = banners.some((banner) => banner.tone === "bad") ? "bad" : "note";
    return element(
      "div", { class: banners.length > 1 ? "banner several" : "banner", "data-key": first?.key, "data-tone": tone, title: texts },
      element("span", {}, text), ...(several ? [toggle] : []), dismiss,
    );
  }

  private obstacleBanners(): Banner[] {
    const obstacle = this.obstacle;
    return obstacle ? [{ key: `obstacle ${obstacle.reason}`, tone: "bad", text: obstacleText(obstacle, this.texts) }] : [];
  }

  private tableBanners(): Banner[] {
    const { standing } = this;
    if (standing === "whole") return [];
    return [{ key: `table ${standing}`, tone: standing === "broken" ? "bad" : "note", text: this.texts.say(`banner.table.${standing}`) }];
  }

  private configBanners(): Banner[] {
    const config = this.config;
    if (!config || this.used) return [];
    if (!config.ok) {
      const error = config.error ?? "";
      return [{ key: `config ${config.at ?? ""} ${error}`, tone: "bad", text: this.texts.say("banner.config", { error }) }];
    }
    const keys = config.restart_required?.join(", ");
    return keys ? [{ key: `restart ${config.at ?? ""} ${keys}`, tone: "note", text: this.texts.say("banner.restart", { keys }) }] : [];
  }

  private feedBanners(): Banner[] {
    return this.feeds
      .filter((feed) => feed.state === "down" && (!this.used || this.used.has(feed.feed)))
      .map((feed) => ({
        key: `feed ${feed.feed}`, tone: "bad",
        text: feed.error
          ? this.texts.say("banner.feed_down", { feed: feed.feed, error: feed.error })
          : this.texts.say("banner.feed_down.bare", { feed: feed.feed }),
      }));
  }
}
