import { expect, test } from "vitest";
import { Formatter } from "../../src/model/format";
import { Ruler } from "../../src/table/ruler";
import { Room, shareOut } from "../../src/table/widths";

test("a text is as wide as its characters, each measured once", () => {
  const asked: string[] = [];
  const ruler = new Ruler((character) => (asked.push(character), character === "," ? 3 : 10), 7);
  expect(ruler.width("1,234,567")).toBe(7 * 7 + 2 * 3);
  expect(ruler.width("−1,0 万")).toBe(4 * 10 - 10 + 2 * 7 + 3);
  expect(ruler.width("")).toBe(0);
  expect(asked).toEqual([",", "−", " ", "万"]);
});

test("a room says once that it needs more, and never that it needs less", () => {
  const asked: number[] = [];
  const room: Room = new Room(
    { id: "bid", title: "Bid", width_px: 84, takesRest: false, beside_px: 14, beside_title_px: 16, yields_px: 0 }, () => asked.push(room.most_px),
  );
  for (const text_px of [40, 60.2, 50, 60.2]) room.ask(text_px);
  expect(asked).toEqual([40, 60.2]);
  expect(room.needed_px(1)).toBe(61 + 1 + 14);
  expect(room.needed_px(0.5)).toBe(31 + 1 + 14);
  room.head_px = 90;
  expect(room.needed_px(1)).toBe(90);
});

test.each([
  [[1, 1, 2], [0, 0, 0], 400, [100, 100, 200]],
  [[1, 1, 2], [150, 0, 0], 400, [150, 83, 166]],
  [[1, 1, 2], [150, 90, 0], 400, [150, 90, 160]],
  [[1, 1], [300, 300], 400, [300, 300]],
  [[], [], 400, []],
])("shares of %j with at least %j of %d are %j", (shares, least, available, parts) => {
  expect(shareOut(shares, least, available)).toEqual(parts);
});

test.each([
  ["en", 1_234_567.891, "≈1.235M"], ["de", 1_234_567.891, "≈1,235 Mio."], ["zh-CN", 1_234_567.891, "≈123.5万"], ["en", 1.2e-9, "≈1.2E-9"],
  ["en", 64.321_98, "≈64.32"], ["en", -37.63, "≈-37.63"], ["en", 1e300, "≈1E300"], ["en", 0, "≈0"],
])("where there is no room %s writes %d as %s", (locale, value, text) => {
  expect(new Formatter(locale).short(value).replace(/\u00a0/g, " ")).toBe(text);
});

test("a number of more digits than are true is written with a power of ten", () => {
  const format = new Formatter("en");
  expect(format.price(1e15, 2)).toBe("1,000,000,000,000,000.00");
  expect(format.price(1.234e17, 2)).toBe("1.234E17");
  expect([format.change(1e17, 2), format.change(-1e17, 2), format.percent(1.7e300), format.volume(1e300)]).toEqual(["+1E17", "-1E17", "+1.7E300%", "1E300"]);
  expect([format.shortChange(1500), format.shortChange(-1500), format.shortChange(undefined), format.short(undefined)]).toEqual(["≈+1.5K", "≈-1.5K", "", ""]);
});
