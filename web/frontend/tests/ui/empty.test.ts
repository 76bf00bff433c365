import { expect, test } from "vitest";
import { Texts } from "../../src/i18n/texts";
import { whyEmpty, type Emptiness } from "../../src/ui/empty";
import { info } from "../quotes";

const [EN, ZH] = [new Texts("en"), new Texts("zh")];
const ALL: Emptiness = {
  symbols: [info("A", { group: ["Shares"] }), info("B")], listed: true, limits: { group: undefined, symbols: undefined }, search: "", filtered: false,
};

test.each<[string, Partial<Emptiness>, string, string]>([
  ["nothing has come yet", { symbols: [], listed: false }, "Waiting for prices…", "正在等待行情…"],
  ["there are no symbols", { symbols: [], search: "x", filtered: true }, "No symbols yet: add a line to [symbols] in settings.toml", "还没有代码：请在 settings.toml 的 [symbols] 中添加一行"],
  ["the search", { search: "xyz" }, "No symbol matches “xyz”", "没有与“xyz”匹配的代码"],
  ["the filters", { filtered: true }, "No symbol passes the filters of the columns", "没有符合列筛选条件的代码"],
  ["both", { search: "xyz", filtered: true }, "No symbol matches “xyz” and passes the filters of the columns", "没有与“xyz”匹配且符合列筛选条件的代码"],
  ["a group that is empty, whatever is searched", { limits: { group: "Bonds", symbols: undefined }, search: "xyz" }, "The group “Bonds” has no symbols", "分组“Bonds”中没有代码"],
  ["a group that is not", { limits: { group: "Shares", symbols: undefined }, search: "xyz" }, "No symbol matches “xyz”", "没有与“xyz”匹配的代码"],
  ["symbols that are none", { limits: { group: undefined, symbols: new Set(["X"]) } }, "None of the symbols asked for is in the settings", "所请求的代码均不在设置中"],
])("no rows because of %s", (_cause, rest, english, chinese) => {
  const emptiness = { ...ALL, ...rest };
  expect([whyEmpty(emptiness, EN), whyEmpty(emptiness, ZH)]).toEqual([english, chinese]);
});
