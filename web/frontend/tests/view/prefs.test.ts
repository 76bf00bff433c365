import { describe, expect, test } from "vitest";
import { loadPrefs, savePrefs } from "../../src/view/prefs";

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
