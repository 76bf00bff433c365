import { describe, expect, test } from "vitest";
import { isSymbol, symbolLine } from "../../src/model/settings-line";

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
