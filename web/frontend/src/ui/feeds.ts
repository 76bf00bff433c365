import type { Formatter } from "../format";
import type { Texts } from "../i18n/texts";
import type { FeedInfo } from "../wire";
import { element } from "./dom";

/** One chip a feed: name, and a word unless all is well. */
export function showFeeds(root: HTMLElement, feeds: Iterable<FeedInfo>, texts: Texts, format: Formatter): void {
  root.setAttribute("aria-label", texts.say("feeds.label"));
  root.replaceChildren(...[...feeds].map((feed) => chip(feed, texts, format)));
}

function chip(feed: FeedInfo, texts: Texts, format: Formatter): HTMLElement {
  const details = [`${feed.feed} (${feed.kind}): ${texts.say(`feed.${feed.state}`)}`];
  if (feed.error) details.push(feed.error);
  if (feed.last_success) details.push(texts.say("feed.last_success", { time: format.time(feed.last_success) }));
  if (feed.next_try && feed.state !== "ok") details.push(texts.say("feed.next_try", { time: format.time(feed.next_try) }));
  const word = feed.state === "ok" ? [] : [element("span", { class: "word" }, texts.say(`feed.${feed.state}`))];
  return element(
    "li", { class: "feed", "data-feed": feed.feed, "data-state": feed.state, title: details.join("\n") },
    element("span", { class: "name" }, feed.feed), ...word,
  );
}
