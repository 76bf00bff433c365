import { describe, expect, test } from "vitest";
import type { SymbolInfo } from "../../src/model/wire";
import { SORTABLE_COLUMNS } from "../../src/table/columns";
import { passes, readView, saysNothing, writeView, type View } from "../../src/view/view";

const NAMES = ["A & B", "50%", "#1", "a+b", "=?&", "中文", "\u202eabc", "<b>", "constructor", "__proto__", "100,000", "a/b:c", "\ud800", "émoji 🙂"];

const read = (search: string): View => readView(search, SORTABLE_COLUMNS);

describe("an address", () => {
  test.each(NAMES)("holds %j and gives it back", (name) => {
    const view = { group: name, q: name, sort: [{ column: "change_pct", descending: true }, { column: "symbol", descending: false }], symbol: "BTC/USD" };
    const told = { ...view, group: name.replace("\ud800", "\ufffd"), q: name.replace("\ud800", "\ufffd") };
    expect(read(writeView("", view))).toEqual(told);
    expect(read(new URL(writeView("", view), "http://host/below/").search)).toEqual(told);
  });

  test("says what is not the default, and leaves alone what is not ours", () => {
    const view = read("?sort=-change_pct,symbol&symbol=EURUSD=X&group=&q=");
    expect(writeView("?noworker&group=Old&x=%20&symbols=A,B", view)).toBe("?noworker&x=%20&symbols=A,B&sort=-change_pct,symbol&symbol=EURUSD%3DX");
    expect(writeView("?group=Old", read(""))).toBe("");
  });

  test("can't sort by what is no column, nor twice by the same", () => {
    expect(read("?sort=constructor,-price,spark,price,,-,name").sort).toEqual([{ column: "price", descending: true }, { column: "name", descending: false }]);
  });

  test.each([["", true], ["?noworker", true], ["?noworker&x=1", true], ["?group=X", false], ["?q=", false], ["?symbols=A", false], ["?filter=x", false], ["?%67roup=X", false]])(
    "%s says nothing of a view: %s", (search, nothing) => expect(saysNothing(search)).toBe(nothing));
});

test("a row is shown for its group, its symbol, its name", () => {
  const info: SymbolInfo = { symbol: "BTC-USD", name: "Bitcoin", group: ["Coins", "constructor"], status: "live" };
  const shown = (group: string | undefined, q: string, symbols?: string[]): boolean => passes(info, { group, q }, symbols && new Set(symbols));
  expect([shown(undefined, ""), shown("Coins", " bitC"), shown("constructor", "btc"), shown(undefined, "", ["BTC-USD"])]).toEqual([true, true, true, true]);
  expect([shown("toString", ""), shown("", ""), shown(undefined, "eth"), shown(undefined, "", ["ETH-USD"])]).toEqual([false, false, false, false]);
});
