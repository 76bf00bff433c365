import { beforeEach, describe, expect, test } from "vitest";
import { Store } from "../../src/model/store";
import { info, quote } from "../quotes";

let store: Store;

beforeEach(() => {
  store = new Store();
  store.begin("first");
  store.applySymbols([info("A"), info("B")]);
});

function price(symbol: string): number | undefined {
  return store.rows.get(symbol)?.quote?.price;
}

describe("which quote wins", () => {
  test("the higher seq, in whichever order they arrive", () => {
    store.applyQuotes([quote("A", 3, 30), quote("A", 2, 20)], 0);
    store.applyQuotes([quote("A", 1, 10)], 0);
    expect(price("A")).toBe(30);
  });

  test("a lower seq of a new epoch: the count started anew", () => {
    store.applyQuotes([quote("A", 900, 30)], 0);
    store.begin("second");
    store.applyQuotes([quote("A", 1, 31)], 0);
    expect(price("A")).toBe(31);
  });

  test("within a new epoch, again the higher seq", () => {
    store.applyQuotes([quote("A", 900, 30)], 0);
    store.begin("second");
    store.applyQuotes([quote("A", 2, 32), quote("A", 1, 31)], 0);
    expect(price("A")).toBe(32);
  });

  test("an old quote is not painted again", () => {
    store.applyQuotes([quote("A", 3, 30)], 0);
    store.drain();
    store.applyQuotes([quote("A", 3, 30), quote("A", 2, 20)], 0);
    expect(store.drain()).toEqual([]);
  });
});

describe("who vouches for a price", () => {
  test("nobody, from the moment a connection begins until a quote comes on it", () => {
    store.applyQuotes([quote("A", 3, 30)], 0);
    store.begin("first");
    expect(store.rows.get("A")?.generation).not.toBe(store.generation);
    expect(price("A")).toBe(30);
  });

  test("the snapshot after a reconnect, though it brings nothing new", () => {
    store.applyQuotes([quote("A", 3, 30)], 0);
    store.begin("first");
    store.drain();
    store.applyQuotes([quote("A", 3, 30)], 0);
    expect(store.rows.get("A")?.generation).toBe(store.generation);
    expect(store.drain().map((row) => row.symbol)).toEqual(["A"]);
  });

  test("a new epoch does not vouch for what it has not sent", () => {
    store.applyQuotes([quote("A", 3, 30), quote("B", 3, 40)], 0);
    store.begin("second");
    store.applyQuotes([quote("A", 1, 31)], 0);
    expect(store.rows.get("A")?.generation).toBe(store.generation);
    expect(store.rows.get("B")?.generation).not.toBe(store.generation);
  });
});

describe("what is painted", () => {
  test("a row once, however many quotes came", () => {
    store.drain();
    store.applyQuotes([quote("A", 1, 10), quote("A", 2, 11), quote("A", 3, 12)], 0);
    expect(store.drain()).toHaveLength(1);
    expect(store.drain()).toHaveLength(0);
  });

  test("every row, when a connection begins: all of them just became doubtful", () => {
    store.drain();
    store.begin("second");
    expect(store.drain().map((row) => row.symbol)).toEqual(["A", "B"]);
  });

  test("the wait of a row starts with its first unpainted quote of this connection", () => {
    store.applyQuotes([quote("A", 1, 10)], 5);
    expect(store.rows.get("A")?.arrived_ms).toBe(0); // a snapshot, no news
    store.applyQuotes([quote("A", 2, 11)], 10);
    store.applyQuotes([quote("A", 3, 12)], 20);
    expect(store.rows.get("A")?.arrived_ms).toBe(10);
  });
});

describe("folded updates", () => {
  test("a jump of n means n − 1 were folded", () => {
    store.applyQuotes([quote("A", 1, 10)], 0);
    store.applyQuotes([quote("A", 2, 11)], 0);
    expect(store.folded).toBe(0);
    store.applyQuotes([quote("A", 7, 12)], 0);
    expect(store.folded).toBe(4);
  });

  test("what happened while there was no connection was not folded", () => {
    store.applyQuotes([quote("A", 1, 10)], 0);
    store.begin("first");
    store.applyQuotes([quote("A", 50, 11)], 0);
    store.begin("second");
    store.applyQuotes([quote("A", 90, 12)], 0);
    expect(store.folded).toBe(0);
  });
});

describe("the list of symbols", () => {
  test("names who came and who went, and keeps the rows that stay", () => {
    const kept = store.rows.get("B");
    const changes = store.applySymbols([info("C"), info("B")]);
    expect(changes.added.map((row) => row.symbol)).toEqual(["C"]);
    expect(changes.removed.map((row) => row.symbol)).toEqual(["A"]);
    expect(store.rows.get("B")).toBe(kept);
  });

  test("a removed row is not painted and not revived by a quote on its way", () => {
    store.applyQuotes([quote("A", 1, 10)], 0);
    store.applySymbols([info("B")]);
    store.applyQuotes([quote("A", 2, 11)], 0);
    expect(store.rows.has("A")).toBe(false);
    expect(store.drain().map((row) => row.symbol)).not.toContain("A");
  });

  test("a symbol that comes back has no price of before it went", () => {
    store.applySymbols([info("B")]);
    store.applyQuotes([quote("A", 2, 11)], 0); // on its way when A was removed
    store.applySymbols([info("B")]);
    store.applySymbols([info("A"), info("B")]);
    expect(price("A")).toBeUndefined();
  });

  test("what is news is told: not what is older or the same, and not what is of nobody", () => {
    store.applyQuotes([quote("A", 5, 10)], 0);
    const news = store.applyQuotes([quote("A", 4, 9), quote("A", 5, 10), quote("A", 6, 11), quote("X", 1, 1), quote("B", 1, 5)], 0);
    expect(news.map(({ symbol, seq }) => [symbol, seq])).toEqual([["A", 6], ["B", 1]]);
  });

  test("a quote that overtook the list waits for it, the newest one", () => {
    store.applyQuotes([quote("C", 5, 50), quote("C", 4, 40)], 0);
    store.applySymbols([info("A"), info("B"), info("C")]);
    expect(price("C")).toBe(50);
    expect(store.rows.get("C")?.generation).toBe(store.generation);
  });

  test("a quote of an older epoch waits in vain", () => {
    store.applyQuotes([quote("C", 5, 50)], 0);
    store.begin("second");
    store.applySymbols([info("A"), info("B"), info("C")]);
    expect(price("C")).toBeUndefined();
  });

  test("decimals follow the setting, else the price, and do not shrink while it moves", () => {
    store.applySymbols([info("A", { decimals: 1 }), info("B")]);
    store.applyQuotes([quote("A", 1, 9.5), quote("B", 1, 9.5)], 0);
    store.applyQuotes([quote("B", 2, 10.5)], 0);
    expect([store.rows.get("A")?.decimals, store.rows.get("B")?.decimals]).toEqual([1, 4]);
  });
});

describe("quotes of before any connection", () => {
  beforeEach(() => {
    store = new Store();
    store.remember("first", [quote("A", 5, 30)]);
  });

  test("are shown once their symbols are listed, and nobody vouches for them", () => {
    store.begin("first");
    store.applySymbols([info("A"), info("B")]);
    expect([price("A"), price("B")]).toEqual([30, undefined]);
    expect(store.rows.get("A")?.generation).not.toBe(store.generation);
  });

  test("are vouched for by the same quote on the connection, and give way to newer ones only", () => {
    store.begin("first");
    store.applySymbols([info("A")]);
    store.applyQuotes([quote("A", 4, 29)], 0);
    expect(price("A")).toBe(30);
    store.applyQuotes([quote("A", 5, 30)], 0);
    expect(store.rows.get("A")?.generation).toBe(store.generation);
    store.applyQuotes([quote("A", 6, 31)], 0);
    expect(price("A")).toBe(31);
  });

  test("are forgotten where the server is another one now", () => {
    store.begin("second");
    store.applySymbols([info("A")]);
    expect(price("A")).toBeUndefined();
  });

  test("do not come back with a symbol that left", () => {
    store.begin("first");
    store.applySymbols([info("B")]);
    store.applySymbols([info("A"), info("B")]);
    expect(price("A")).toBeUndefined();
  });
});
