import type { Texts } from "../i18n/texts";
import { names, type ConfigReport, type FeedInfo } from "../wire";
import { button, element } from "./dom";

interface Banner {
  key: string;
  tone: "bad" | "note";
  text: string;
}

/** What needs the reader's eye, above the table: a reload that failed, a feed that is down. Gone when the cause is. */
export class Banners {
  private config: ConfigReport | undefined;
  private feeds: readonly FeedInfo[] = [];
  private readonly dismissed = new Set<string>();

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

  private show(): void {
    const due = [...this.configBanners(), ...this.feedBanners()];
    for (const key of this.dismissed) if (!due.some((banner) => banner.key === key)) this.dismissed.delete(key);
    const shown = new Map([...this.root.children].map((child) => [(child as HTMLElement).dataset.key, child]));
    const wanted = due.filter((banner) => !this.dismissed.has(banner.key));
    for (const banner of wanted) if (!shown.has(banner.key)) this.announce(banner.text);
    this.root.hidden = wanted.length === 0;
    this.root.setAttribute("aria-label", this.texts.say("banner.label"));
    this.root.replaceChildren(...wanted.map((banner) => this.build(banner)));
  }

  private build(banner: Banner): HTMLElement {
    const dismiss = button("✕", () => {
      this.dismissed.add(banner.key);
      this.show();
    }, { class: "dismiss", "aria-label": this.texts.say("banner.dismiss"), title: this.texts.say("banner.dismiss") });
    return element("div", { class: "banner", "data-key": banner.key, "data-tone": banner.tone }, element("span", {}, banner.text), dismiss);
  }

  private configBanners(): Banner[] {
    const config = this.config;
    if (!config) return [];
    if (!config.ok) {
      const error = names(config.error).join("; ");
      return [{ key: `config ${config.at ?? ""} ${error}`, tone: "bad", text: this.texts.say("banner.config", { error }) }];
    }
    const keys = Array.isArray(config.restart_required) ? config.restart_required.join(", ") : "";
    const needed = config.restart_required === true || keys !== "";
    if (!needed) return [];
    const text = keys ? this.texts.say("banner.restart", { keys }) : this.texts.say("banner.restart.bare");
    return [{ key: `restart ${config.at ?? ""} ${keys}`, tone: "note", text }];
  }

  private feedBanners(): Banner[] {
    return this.feeds
      .filter((feed) => feed.state === "down")
      .map((feed) => ({
        key: `feed ${feed.feed}`, tone: "bad",
        text: feed.error
          ? this.texts.say("banner.feed_down", { feed: feed.feed, error: feed.error })
          : this.texts.say("banner.feed_down.bare", { feed: feed.feed }),
      }));
  }
}
