import { describe, expect, test } from "vitest";
import { Address, type Place } from "../../src/view/address";
import type { Face } from "../../src/view/face";
import { loadPrefs } from "../../src/view/prefs";
import { passes, readView, saysNothing, writeView } from "../../src/view/view";
import type { SymbolInfo } from "../../src/model/wire";

const NAMES = ["A & B", "50%", "#1", "a+b", "=?&", "中文", "\u202eabc", "<b>", "constructor", "__proto__", "100,000", "a/b:c", "\ud800", "émoji 🙂"];

describe("an address", () => {
  test.each(NAMES)("holds %j and gives it back", (name) => {
    const view = { group: name, q: name, sort: [{ column: "change_pct", descending: true }, { column: "symbol", descending: false }], symbol: "BTC/USD" };
    const told = { ...view, group: name.replace("\ud800", "\ufffd"), q: name.replace("\ud800", "\ufffd") };
    expect(readView(writeView("", view))).toEqual(told);
    expect(readView(new URL(writeView("", view), "http://host/below/").search)).toEqual(told);
  });

  test("says what is not the default, and leaves alone what is not ours", () => {
    const view = readView("?sort=-change_pct,symbol&symbol=EURUSD=X&group=&q=");
    expect(writeView("?noworker&group=Old&x=%20&symbols=A,B", view)).toBe("?noworker&x=%20&symbols=A,B&sort=-change_pct,symbol&symbol=EURUSD%3DX");
    expect(writeView("?group=Old", readView(""))).toBe("");
  });

  test("can't sort by what is no column, nor twice by the same", () => {
    expect(readView("?sort=constructor,-price,spark,price,,-,name").sort).toEqual([{ column: "price", descending: true }, { column: "name", descending: false }]);
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

/** A place whose clock is stepped, and a storage. */
class Stage implements Place {
  now_ms = 0;
  kept: string | null = null;
  readonly written: string[] = [];
  private timers: (() => void)[] = [];

  constructor(private query: string) {}

  search = (): string => this.query;
  replace = (search: string): void => void this.written.push(this.query = search);
  now = (): number => this.now_ms;
  setTimer = (callback: () => void): number => this.timers.push(callback);
  getItem = (): string | null => this.kept;
  setItem = (_key: string, value: string): void => void (this.kept = value);

  open(kind: Face["kind"] = "desk"): Address {
    return new Address({ kind }, this, this);
  }

  rest(ms = 1000): void {
    this.now_ms += ms;
    for (const callback of this.timers.splice(0)) callback();
  }
}

describe("the owner of the view", () => {
  test("writes each choice into the address at once: who reloads a moment later has it", () => {
    const stage = new Stage("?noworker");
    const address = stage.open();
    for (const q of ["b", "bo", "bol"]) address.change({ q });
    expect(stage.written).toEqual(["?noworker&q=b", "?noworker&q=bo", "?noworker&q=bol"]);
  });

  test("never writes so many that a browser stops listening, and the last of them in the end", () => {
    const stage = new Stage("");
    const address = stage.open();
    for (let letters = 1; letters <= 300; letters += 1) {
      stage.now_ms += 100;
      address.change({ q: "x".repeat(letters) });
      if (letters % 5 === 0) stage.rest(0);
    }
    expect(stage.written.length).toBeLessThanOrEqual(100);
    stage.rest();
    expect(stage.written.at(-1)).toBe(`?q=${"x".repeat(300)}`);
  });

  test("gives a bare address the reader's last view", () => {
    const stage = new Stage("");
    stage.kept = '{"view":"?group=Coins&sort=-price"}';
    expect(stage.open().view).toEqual({ group: "Coins", q: "", sort: [{ column: "price", descending: true }], symbol: undefined });
    expect(stage.written).toEqual(["?group=Coins&sort=-price"]);
  });

  test("believes an address that says something, and does not take it for the reader's choice", () => {
    const stage = new Stage("?group=Shares&sort=nonsense");
    stage.kept = '{"view":"?group=Coins&q=x"}';
    expect(stage.open().view).toEqual({ group: "Shares", q: "", sort: [], symbol: undefined });
    expect(stage.written).toEqual(["?group=Shares"]);
    expect(loadPrefs(stage).view).toBe("?group=Coins&q=x");
  });

  test("remembers that the reader went back to everything", () => {
    const stage = new Stage("?group=Shares");
    stage.open().change({ group: undefined });
    expect(loadPrefs(stage).view).toBe("");
  });

  test.each(["kiosk", "embed"] as const)("neither restores nor writes on a %s", (kind) => {
    const stage = new Stage("?group=Shares&sort=-price&q=x&symbol=A");
    stage.kept = '{"view":"?group=Coins"}';
    const address = stage.open(kind);
    expect(address.view).toEqual({ group: "Shares", q: "", sort: [{ column: "price", descending: true }], symbol: undefined });
    address.change({ group: "Coins" });
    stage.rest();
    expect([stage.written, stage.kept]).toEqual([[], '{"view":"?group=Coins"}']);
  });
});
