import { describe, expect, test } from "vitest";
import { SORTABLE_COLUMNS } from "../../src/table/columns";
import { Address, type BrowserLocation } from "../../src/view/address";
import type { Face } from "../../src/view/face";
import { loadPrefs } from "../../src/view/prefs";

/** A place whose clock is stepped, and a storage. */
class Stage implements BrowserLocation {
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
    return new Address({ kind }, SORTABLE_COLUMNS, this, this);
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
