import { describe, expect, test } from "vitest";
import { pickLanguage, pickLocale, Texts } from "../../src/i18n/texts";

describe("languages", () => {
  test("the first one we have, else English", () => {
    expect([pickLanguage(["fr-CA", "zh-TW", "en"]), pickLanguage(["fr"]), pickLanguage([])]).toEqual(["zh", "en", "en"]);
  });

  test("numbers by the reader's own region where it speaks the page's language", () => {
    expect(pickLocale("en", ["en-GB", "zh"])).toBe("en-GB");
    expect(pickLocale("en", ["de-DE"])).toBe("de-DE");
    expect(pickLocale("zh", ["en-US"])).toBe("zh-CN");
  });

  test("texts are filled in, whatever the value contains", () => {
    expect(new Texts("en").say("banner.feed_down", { feed: "sim", error: "{feed} $& <b>" })).toBe("Feed sim is down: {feed} $& <b>");
  });
});
