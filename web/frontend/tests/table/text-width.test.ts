import { expect, test } from "vitest";
import { mostWidth, setCut } from "../../src/table/text-width";

test.each([
  ["182.79", 13, 54.7], ["−0.11", 11, 41.9], ["ACME", 13, 42], ["WWWW", 13, 57], ["价格", 13, 26], ["", 13, 0],
])("%s takes no more than what is reckoned for it", (text, font_px, atLeast_px) => {
  expect(mostWidth(text, font_px)).toBeGreaterThanOrEqual(atLeast_px - 0.1);
});

test("an ordinary text in its ordinary column needs no clip", () => {
  expect(mostWidth("BTC/USD", 13)).toBeLessThan(108 - 21);
  expect(mostWidth("182.79", 13) + mostWidth("+0.11", 11)).toBeLessThan(142 - 37);
});

test("the mark is touched only where it changes", () => {
  const calls: boolean[] = [];
  const classes = new Set<string>();
  const element = { classList: { contains: (name: string) => classes.has(name), toggle: (name: string, on: boolean) => (calls.push(on), on ? classes.add(name) : classes.delete(name)) } };
  for (const cut of [false, true, true, false]) setCut(element as unknown as Element, cut);
  expect(calls).toEqual([true, false]);
});
