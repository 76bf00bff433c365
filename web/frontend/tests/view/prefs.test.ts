import { describe, expect, test } from "vitest";
import { toCsv } from "../../src/model/csv";
import { pickLanguage, pickLocale, Texts } from "../../src/i18n/texts";
import { Percentiles } from "../../src/view/paint-meter";
import { loadPrefs, savePrefs } from "../../src/view/prefs";
import { compareValues } from "../../src/table/columns";
import { isSymbol, symbolLine } from "../../src/model/settings-line";
import { Viewport } from "../../src/view/viewport";

describe("CSV", () => {
  test("text that a spreadsheet would run is disarmed, numbers are left alone", () => {
    expect(toCsv(["symbol", "name", "change"], [["=X", "@SUM(A1)", -0.5], ["A", "-1+2", undefined], ["B", "+1.5", 2]]))
      .toBe("symbol,name,change\r\n'=X,'@SUM(A1),-0.5\r\nA,'-1+2,\r\nB,+1.5,2\r\n");
  });

  test("commas, quotes and line ends stay inside their cell", () => {
    expect(toCsv(["a"], [['say "hi", twice\nor more']])).toBe('a\r\n"say ""hi"", twice\nor more"\r\n');
  });
});

describe("the line that adds a symbol", () => {
  test("quotes what a bare key can't hold", () => {
    expect([symbolLine("ACME", "sim"), symbolLine("BTC-USD", "sim"), symbolLine("BRK.B", "sim"), symbolLine("BTC/USD", "sim")])
      .toEqual(['ACME = { feed = "sim" }', 'BTC-USD = { feed = "sim" }', '"BRK.B" = { feed = "sim" }', '"BTC/USD" = { feed = "sim" }']);
  });

  test.each(["ACME", "^GSPC", "BTC/USD", "EURUSD=X", "0700.HK", "a", "A".repeat(32)])("%s is a symbol", (symbol) => {
    expect(isSymbol(symbol)).toBe(true);
  });

  test.each(["", "A".repeat(33), "-A", ".A", "A//B", "A/", "A/../B", "A/.", "A B", "A,B", "Ä", 'A"'])("%j is none", (symbol) => {
    expect(isSymbol(symbol)).toBe(false);
  });
});

describe("order", () => {
  test.each([[false], [true]])("rows without a value come last (descending: %s)", (descending) => {
    const values = [undefined, 2, undefined, -1, 10];
    const sign = descending ? -1 : 1; // as the grid turns the answer round
    const sorted = [...values.keys()].sort((a, b) => sign * compareValues(values[a], values[b], descending)).map((at) => values[at]);
    expect(sorted).toEqual(descending ? [10, 2, -1, undefined, undefined] : [-1, 2, 10, undefined, undefined]);
  });

  test("text with numbers in it counts as people count", () => {
    expect(["SIM10", "SIM9", "AAPL"].sort((a, b) => compareValues(a, b, false))).toEqual(["AAPL", "SIM9", "SIM10"]);
  });
});

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

/** A storage that holds one text. */
function memory(kept: string | null = null): { getItem(): string | null; setItem(key: string, value: string): void } {
  return { getItem: () => kept, setItem: (_key, value) => void (kept = value) };
}

describe("what the reader chose", () => {
  test("comes back", () => {
    const storage = memory();
    savePrefs(storage, { theme: "dark", symbol_hz: 0.5, view: "?group=FX" });
    expect(loadPrefs(storage)).toEqual({ ...loadPrefs(undefined), theme: "dark", symbol_hz: 0.5, view: "?group=FX" });
  });

  test("is kept key by key: two tabs do not undo each other's, nor what a newer page keeps", () => {
    const storage = memory('{"newer":[1],"flash":true}');
    savePrefs(storage, { theme: "dark", columns: { wide: [{ colId: "price" }] } });
    savePrefs(storage, { palette: "blue-up", columns: { narrow: [{ colId: "age" }] } });
    savePrefs(storage, { symbol_hz: 2 });
    savePrefs(storage, { symbol_hz: undefined });
    expect(JSON.parse(storage.getItem() ?? "")).toEqual({
      newer: [1], flash: true, theme: "dark", palette: "blue-up", columns: { wide: [{ colId: "price" }], narrow: [{ colId: "age" }] },
    });
  });

  test.each([["zh-CN", "red-up"], ["zh-TW", "red-up"], ["ja", "red-up"], ["zh-HK", "green-up"], ["de", "green-up"]])("colours as in %s at first", (language, palette) => {
    expect(loadPrefs(undefined, [language, "en"]).palette).toBe(palette);
    expect(loadPrefs({ getItem: () => '{"palette":"blue-up"}' }, [language]).palette).toBe("blue-up");
  });

  test.each(["{", "null", "[]", '"dark"', '{"theme":"pink","flash":1,"symbol_hz":-1,"columns":null,"other":1}', '{"constructor":1,"__proto__":{"theme":"dark"}}',
    '{"columns":{"wide":5}}', '{"columns":{"wide":[{"hide":true}]}}'])("%s counts as nothing", (kept) => {
    expect(loadPrefs({ getItem: () => kept })).toEqual(loadPrefs(undefined));
  });

  test("a storage that is full or forbidden is no error", () => {
    const full = (): never => {
      throw new DOMException("full", "QuotaExceededError");
    };
    expect(() => savePrefs({ getItem: () => null, setItem: full }, { theme: "dark" })).not.toThrow();
  });
});

describe("percentiles", () => {
  test("of the newest values only", () => {
    const meter = new Percentiles();
    expect(meter.read(0.5)).toEqual([undefined]);
    for (let value = 0; value < 5000; value += 1) meter.add(9e9);
    for (let value = 0; value < 1024; value += 1) meter.add(value);
    expect(meter.read(0, 0.5, 0.99, 1)).toEqual([0, 512, 1013, 1023]);
  });
});

describe("the view", () => {
  test("is looked at once it rests, and told of once it differs", () => {
    const timers = new Map<number, () => void>();
    let next = 1;
    let inView = ["A", "B"];
    const told: (readonly string[])[] = [];
    const viewport = new Viewport(
      { setTimer: (callback) => (timers.set(next, callback), next++), clearTimer: (id) => void timers.delete(id) },
      () => inView, (symbols) => told.push(symbols),
    );
    const rest = (): void => {
      const due = [...timers.values()];
      timers.clear();
      for (const callback of due) callback();
    };
    viewport.moved();
    viewport.moved();
    expect(timers.size).toBe(1);
    rest();
    viewport.moved();
    rest();
    inView = ["B", "C"];
    viewport.moved();
    rest();
    expect(told).toEqual([["A", "B"], ["B", "C"]]);
  });
});
