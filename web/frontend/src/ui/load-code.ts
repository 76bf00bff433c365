import { pickLanguage, Texts } from "../i18n/texts";
import { askServer } from "../net/ask-server";
import { keptAs } from "../net/base-url";
import { browserStorage } from "../net/storage";
import { loadPrefs } from "../view/prefs";
import { button, element } from "./dom";

/** Code that has been on its way for so long may never come. */
const PATIENCE_MS = 10_000;
/** So soon after one reload another would not help either. */
const AGAIN_MS = 60_000;
const RELOADED_KEY = keptAs("tickercast-reloaded");

/**
 * Code without which the page cannot go on. Where it can't be had (a page of before an update asks for files that are no longer there) the
 * document is loaded anew, once; where that does not help, and where the code just does not come, the page says so. It never stands there
 * blank.
 */
export async function loadCode<Code>(load: () => Promise<Code>): Promise<Code> {
  let notice: Element | undefined;
  const patience = setTimeout(() => {
    notice = complain("code.slow");
  }, PATIENCE_MS);
  try {
    return await load();
  } catch (error) {
    if (await mayReload()) location.reload();
    else complain("code.missing");
    throw error;
  } finally {
    clearTimeout(patience);
    notice?.remove();
  }
}

/** Whether there is a document to be had, and this has not been tried just now. */
async function mayReload(): Promise<boolean> {
  const storage = browserStorage("sessionStorage");
  if (!storage || Date.now() - Number(storage.getItem(RELOADED_KEY) ?? 0) < AGAIN_MS) return false;
  const there = await askServer("", { method: "HEAD", cache: "no-store" }).then((answer) => answer.ok, () => false);
  if (there) storage.setItem(RELOADED_KEY, String(Date.now()));
  return there;
}

function complain(key: "code.slow" | "code.missing"): Element {
  const texts = new Texts(loadPrefs(browserStorage("localStorage")).language ?? pickLanguage(navigator.languages));
  const again = button(texts.say("code.again"), () => location.reload(), { class: "tool" });
  const notice = element("div", { class: "banner", role: "alert" }, element("span", {}, texts.say(key)), again);
  const banners = document.getElementById("banners") ?? document.body;
  banners.hidden = false;
  banners.append(notice);
  return notice;
}
