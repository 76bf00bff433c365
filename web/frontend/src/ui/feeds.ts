import type { FeedInfo } from "../model/wire";
import type { TableContext } from "../table/context";
import { element } from "./dom";

/** One chip a feed: name, and a word unless all is well. */
export function showFeeds(root: HTMLElement, feeds: Iterable<FeedInfo>, context: TableContext): void {
  root.setAttribute("aria-label", context.texts.say("feeds.label"));
  root.replaceChildren(...[...feeds].map((feed) => chip(feed, context)));
  requestAnimationFrame(() => keepReachable(root)); // to ask now would have the whole page laid out an extra time
}

/** What scrolls takes the focus, so that it scrolls without a mouse too; what does not is no stop on the way through the page. */
export function keepReachable(root: HTMLElement): void {
  if (root.scrollWidth > root.clientWidth) root.tabIndex = 0;
  else root.removeAttribute("tabindex");
}

function chip(feed: FeedInfo, { texts, format, serverNow }: TableContext): HTMLElement {
  const now_ms = serverNow();
  const details = [`${feed.feed} (${feed.kind}): ${texts.say(`feed.${feed.state}`)}`];
  if (feed.error) details.push(feed.error);
  if (feed.last_success) details.push(texts.say("feed.last_success", { time: format.stamp(feed.last_success, now_ms) }));
  if (feed.next_try && feed.state !== "ok") details.push(texts.say("feed.next_try", { time: format.stamp(feed.next_try, now_ms) }));
  const word = feed.state === "ok" ? [] : [element("span", { class: "word" }, texts.say(`feed.${feed.state}`))];
  return element(
    "li", { class: "feed", "data-feed": feed.feed, "data-state": feed.state, title: details.join("\n") },
    element("span", { class: "name" }, feed.feed), ...word,
  );
}
