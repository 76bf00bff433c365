import { expect, test } from "vitest";
import { CandleBuilder, chartPast, SecondBars, tradeOf, type Candle, type Trade } from "../../src/history/candles";
import type { Quote, VolumeOf } from "../../src/model/wire";
import { quote } from "../quotes";

function trade(second: number, price: number, volume?: number, rest: Partial<Quote> = {}, volume_of: VolumeOf | undefined = "session", generation = 1): Trade {
  const counted = volume === undefined ? {} : { volume };
  return tradeOf(quote("A", Math.round(second * 10), price, { received_time: second * 1000, ...counted, ...rest }), volume_of, generation);
}

/** The volumes of bars of a second. */
function volumes(...trades: readonly Trade[]): (number | undefined)[] {
  const builder = new CandleBuilder(1);
  for (const each of trades) builder.add(each);
  return builder.candles.map((candle) => candle.volume);
}

test("a bar holds the first, highest, lowest and last price of its time", () => {
  const builder = new CandleBuilder(60);
  for (const each of [trade(60, 10), trade(75, 12), trade(90, 9), trade(119, 11)]) builder.add(each);
  expect(builder.candles).toEqual([{ time_s: 60, open: 10, high: 12, low: 9, close: 11, volume: undefined }]);
});

test("the next bar begins with its own first price", () => {
  const builder = new CandleBuilder(5);
  builder.add(trade(4, 10));
  builder.add(trade(5, 12));
  expect(builder.candles.map(({ time_s, open, high, low }) => [time_s, open, high, low])).toEqual([[0, 10, 10, 10], [5, 12, 12, 12]]);
});

test("no bar stands where nothing was said", () => {
  const builder = new CandleBuilder(1);
  builder.add(trade(1, 10));
  builder.add(trade(9, 11));
  expect(builder.candles.map((candle) => candle.time_s)).toEqual([1, 9]);
});

test("prices of any sign have bars", () => {
  const builder = new CandleBuilder(60);
  for (const each of [trade(60, 1.5), trade(75, 0), trade(90, -37.63), trade(119, -1)]) builder.add(each);
  expect(builder.candles).toEqual([{ time_s: 60, open: 1.5, high: 1.5, low: -37.63, close: -1, volume: undefined }]);
});

test("volume is what a count grew by, or what a session began with; what else falls was put right, and tells nothing", () => {
  expect(volumes(trade(1, 10, 500), trade(2, 10, 600), trade(2.5, 10, 620), trade(3, 10, 30), trade(4, 10, 35))).toEqual([undefined, 120, 30, 5]);
  expect(volumes(trade(1, 10, 500), trade(2, 10, 480), trade(3, 10, 490), trade(4, 10), trade(5, 10, 500))).toEqual([undefined, undefined, 10, undefined, undefined]);
});

test("a count of the last 24 hours gives no volume, nor does one of which nobody says what it is", () => {
  for (const volume_of of ["24h", undefined] as const) {
    const trades = [500, 600, 20, 700].map((count, at) => tradeOf(quote("A", at, 1, { volume: count, received_time: at * 1000 }), volume_of, 1));
    expect(volumes(...trades)).toEqual([undefined, undefined, undefined, undefined]);
  }
});

test("a count is a source's own, and a connection's", () => {
  const other = [{ source: "b" }, { origin: "b" }];
  for (const rest of other) expect(volumes(trade(1, 1, 500), trade(2, 1, 9000, rest), trade(3, 1, 9001, rest))).toEqual([undefined, undefined, 1]);
  expect(volumes(trade(1, 1, 500), trade(2, 1, 900, {}, "session", 2), trade(3, 1, 901, {}, "session", 2))).toEqual([undefined, undefined, 1]);
});

test("a day ends at midnight, a session rests: what is counted then is the new one's own, unless it could be either's", () => {
  const day_s = 86_400;
  const night = (...counts: number[]) => volumes(...counts.map((count, at) => trade(day_s - 2 + at, 1, count, {}, "day_utc")));
  expect(night(50, 60, 40, 41)).toEqual([undefined, 10, 40, 1]);
  expect(night(50, 60, 60, 70, 71)).toEqual([undefined, 10, 0, undefined, 1]);
  const closed = { state: "closed" } as const;
  expect(volumes(trade(1, 1, 50), trade(2, 1, 50, closed), trade(3, 1, 50), trade(4, 1, 70), trade(5, 1, 71))).toEqual([undefined, 0, 0, undefined, 1]);
  expect(volumes(trade(1, 1, 50), trade(2, 1, 50, closed), trade(3, 1, 4))).toEqual([undefined, 0, 4]);
  expect(volumes(trade(1, 1, 50), trade(2, 1, 50, { state: "stale" }), trade(3, 1, 90), trade(4, 1, 91))).toEqual([undefined, undefined, undefined, 1]);
});

test("a price that rested was traded now; where updates were passed over for long nobody knows when", () => {
  expect(volumes(trade(1, 1, 50, { seq: 1 }), trade(900, 1, 60, { seq: 2 }))).toEqual([undefined, 10]);
  expect(volumes(trade(1, 1, 50, { seq: 1 }), trade(900, 1, 60, { seq: 9 }))).toEqual([undefined, undefined]);
  expect(volumes(trade(1, 1, 50, { seq: 1 }), trade(3, 1, 60, { seq: 9 }))).toEqual([undefined, 10]);
});

test("a price from before the newest bar changes nothing", () => {
  const builder = new CandleBuilder(1);
  builder.add(trade(5, 10));
  expect(builder.add(trade(3, 99))).toBeUndefined();
  expect(builder.candles).toHaveLength(1);
});

test("a day of seconds is kept in bounds", () => {
  const builder = new CandleBuilder(1);
  for (let second = 0; second < 5000; second += 1) builder.add(trade(second, second));
  expect(builder.candles).toHaveLength(1000);
  expect(builder.candles[0]?.time_s).toBe(4000);
});

test("bars of a second become bars of five: first open, last close, volumes added", () => {
  const seconds = new CandleBuilder(1);
  seconds.follow(trade(2, 10, 100));
  for (const each of [trade(3, 10, 100), trade(4.2, 12, 130), trade(4.9, 11, 140), trade(5, 9, 150)]) seconds.add(each);
  const fives = new CandleBuilder(5);
  for (const second of seconds.candles) fives.fold(second);
  expect(fives.candles).toEqual([
    { time_s: 0, open: 10, high: 12, low: 10, close: 11, volume: 40 }, { time_s: 5, open: 9, high: 9, low: 9, close: 9, volume: 10 },
  ]);
});

test("seconds are kept of symbols that were watched, a bounded number of both", () => {
  const book = new SecondBars();
  book.watch(["A"]);
  for (let second = 0; second < 1000; second += 1) {
    book.add("A", trade(second, second));
    book.add("B", trade(second, second));
  }
  expect([book.candles("A").length, book.candles("A")[0]?.time_s, book.candles("B").length]).toEqual([300, 700, 0]);
  book.watch(Array.from({ length: 64 }, (_, at) => `S${at}`));
  expect(book.candles("A")).toEqual([]);
});

function bar(time_s: number, price: number, volume: number | undefined): Candle {
  return { time_s, open: price, high: price, low: price, close: price, volume };
}

test("a chart begins with the server's minutes and goes on with the seconds they do not know yet", () => {
  const minutes = [bar(0, 1, 10), bar(60, 2, 20)];
  const seconds = [bar(88, 3, 5), bar(90, 4, 5), bar(121, 5, 5)];
  expect(chartPast(60, minutes, 90, seconds).candles).toEqual([
    bar(0, 1, 10), { time_s: 60, open: 2, high: 4, low: 2, close: 4, volume: 25 }, bar(120, 5, 5),
  ]);
});

test("bars shorter than a minute are made of seconds alone, and so are all where the server has none", () => {
  const seconds = [bar(88, 3, 5), bar(121, 5, 5)];
  expect(chartPast(15, [bar(60, 2, 20)], 90, seconds).candles).toEqual([bar(75, 3, 5), bar(120, 5, 5)]);
  expect(chartPast(3600, [], 90, seconds).candles).toEqual([{ time_s: 0, open: 3, high: 5, low: 3, close: 5, volume: 10 }]);
});

test("a price that rests has a bar where nothing else was seen, and none more where something was", () => {
  expect(chartPast(5, [bar(60, 2, 20)], 90, [], trade(88, 3, 500)).candles).toEqual([bar(85, 3, undefined)]);
  expect(chartPast(60, [bar(60, 2, 20)], 90, [], trade(130, 3)).candles).toEqual([bar(60, 2, 20)]);
});

test("what comes after the past is counted from its last price on", () => {
  const builder = chartPast(60, [bar(60, 2, 20)], 90, [], trade(88, 2, 500));
  builder.add(trade(95, 2, 507));
  expect(builder.candles).toEqual([bar(60, 2, 27)]);
});

test("a part whose volume can't be told makes a bar of which it can't be told either", () => {
  expect(chartPast(3600, [bar(0, 1, 10), bar(60, 1, undefined), bar(120, 1, 5)], 200, []).candles).toEqual([bar(0, 1, undefined)]);
});

test("an older part of a bar that is past changes nothing", () => {
  const builder = new CandleBuilder(60);
  builder.fold(bar(60, 2, 20));
  expect(builder.fold(bar(30, 1, 1))).toBeUndefined();
  expect(builder.candles).toEqual([bar(60, 2, 20)]);
});
