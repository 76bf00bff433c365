import { describe, expect, test } from "vitest";
import { decimalsByMagnitude, decimalsFor, formatAge, Formatter } from "../../src/model/format";

describe("decimals", () => {
  test.each([
    [67_231.5, 2], [187.3, 2], [10, 2], [9.99, 4], [1.0842, 4], [1, 4], [0.5, 4], [0.05, 5], [0.00001783, 8], [1e-15, 12], [0, 2], [-5, 4],
  ])("of %f: %i", (price, decimals) => {
    expect(decimalsByMagnitude(price)).toBe(decimals);
  });

  test("the setting wins, 0 too", () => {
    expect(decimalsFor(0.00001783, 3, 8)).toBe(3);
    expect(decimalsFor(151.32, 0, 2)).toBe(0);
  });

  test("without a price, what was shown before", () => {
    expect(decimalsFor(undefined, null, 4)).toBe(4);
  });
});

describe("ages", () => {
  test.each([
    [-400, "<1s"], [0, "<1s"], [999, "<1s"], [1000, "1s"], [59_999, "59s"], [60_000, "1m"], [3_599_999, "59m"], [3_600_000, "1h"],
    [86_399_999, "23h"], [86_400_000, "1d"], [30 * 86_400_000, "30d"],
  ])("%i ms: %s", (age_ms, text) => {
    expect(formatAge(age_ms)).toBe(text);
  });
});

describe("numbers", () => {
  const english = new Formatter("en-US", "UTC");

  test("unknown is empty, never 0", () => {
    expect([english.price(undefined, 2), english.change(undefined, 2), english.percent(undefined), english.volume(undefined)]).toEqual(["", "", "", ""]);
  });

  test("a price has its decimals, a tiny one is readable", () => {
    expect(english.price(67_231.5, 2)).toBe("67,231.50");
    expect(english.price(0.00001783, 8)).toBe("0.00001783");
  });

  test("a change has its sign, also where it rounds away, as its colour has; none has none", () => {
    expect([english.change(0.5, 2), english.change(-0.5, 2), english.change(0, 2), english.change(-0.001, 2)]).toEqual(["+0.50", "-0.50", "0.00", "-0.00"]);
  });

  test("a number is written as before however many others were written meanwhile", () => {
    const first = english.price(1234.5, 2);
    for (let value = 0; value < 10_000; value += 1) english.price(value, 2);
    expect([first, english.price(1234.5, 2), english.price(1234.5, 1)]).toEqual(["1,234.50", "1,234.50", "1,234.5"]);
    expect([english.price(-0, 2), english.price(0, 2)]).toEqual(["0.00", "0.00"]);
  });

  test("a percentage is in percent already", () => {
    expect(english.percent(1.27)).toBe("+1.27%");
  });

  test("a move is in percent, or where no percentage can be told in the price's own unit", () => {
    expect([english.moved(1.5, 0.25, 2), english.moved(-38.13, undefined, 2), english.moved(undefined, undefined, 2)]).toEqual(["+0.25%", "-38.13", ""]);
    expect([english.price(-37.63, 2), english.price(0, 2), english.short(-37.63), decimalsFor(-0.005, null, 0)]).toEqual(["-37.63", "0.00", "≈-37.63", 6]);
  });

  test("volumes are short", () => {
    expect(english.volume(1_234_567)).toBe("1.235M");
  });

  test("the reader's locale decides the point", () => {
    const german = new Formatter("de-DE", "UTC");
    expect(german.price(67_231.5, 2)).toBe("67.231,50");
    expect(new Formatter("zh-CN", "UTC").volume(123_456)).toBe("12.35万");
  });

  test("times are in the zone given", () => {
    expect(new Formatter("en-GB", "Asia/Tokyo").time(Date.UTC(2026, 0, 5, 15, 4, 5))).toBe("00:04:05");
  });

  test.each([
    ["a minute before", Date.UTC(2026, 0, 5, 15, 3, 5), "00:03:05"],
    ["yesterday in the reader's zone, today in UTC", Date.UTC(2026, 0, 5, 14, 59, 59), "5 Jan 2026, 23:59:59"],
    ["the same day a year before", Date.UTC(2025, 0, 5, 15, 4, 5), "6 Jan 2025, 00:04:05"],
  ])("a time has its date once that is not today's: %s", (_when, epoch_ms, expected) => {
    expect(new Formatter("en-GB", "Asia/Tokyo").stamp(epoch_ms, Date.UTC(2026, 0, 5, 15, 4, 5))).toBe(expected);
    expect([english.zone(0), english.zoneName()]).toEqual(["UTC", "UTC"]);
    const berlin = new Formatter("en-GB", "Europe/Berlin");
    expect([berlin.zone(Date.UTC(2026, 0, 5)), berlin.zone(Date.UTC(2026, 6, 5)), berlin.zoneName()]).toEqual(["CET", "CEST", "Europe/Berlin"]);
    expect([berlin.minute(0), berlin.day(0)]).toEqual(["01:00", "1 Jan"]);
  });
});
