import { expect, test } from "vitest";
import { CandleBuilder, chartPast, SecondsBook, type Candle, type Trade } from "../src/candles";

function trade(second: number, price: number, volume?: number): Trade {
  return { time_ms: second * 1000, price, volume };
}

test("a bar holds the first, highest, lowest and last price of its time", () => {
  const builder = new CandleBuilder(60);
  for (const each of [trade(60, 10), trade(75, 12), trade(90, 9), trade(119, 11)]) builder.add(each);
  expect(builder.candles).toEqual([{ time_s: 60, open: 10, high: 12, low: 9, close: 11, volume: 0 }]);
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

test("volume is what the session's count grew by, and a count that falls began anew", () => {
  const builder = new CandleBuilder(1);
  for (const each of [trade(1, 10, 500), trade(1.5, 10, 520), trade(2, 10, 600), trade(3, 10, 30), trade(4, 10)]) builder.add(each);
  expect(builder.candles.map((candle) => candle.volume)).toEqual([20, 80, 30, 0]);
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
  for (const each of [trade(3, 10, 100), trade(4.2, 12, 130), trade(4.9, 11, 140), trade(5, 9, 150)]) seconds.add(each);
  const fives = new CandleBuilder(5);
  for (const second of seconds.candles) fives.fold(second);
  expect(fives.candles).toEqual([
    { time_s: 0, open: 10, high: 12, low: 10, close: 11, volume: 40 }, { time_s: 5, open: 9, high: 9, low: 9, close: 9, volume: 10 },
  ]);
});

test("seconds are kept of symbols that were watched, a bounded number of both", () => {
  const book = new SecondsBook();
  book.watch(["A"]);
  for (let second = 0; second < 1000; second += 1) {
    book.add("A", trade(second, second));
    book.add("B", trade(second, second));
  }
  expect([book.candles("A").length, book.candles("A")[0]?.time_s, book.candles("B").length]).toEqual([300, 700, 0]);
  book.watch(Array.from({ length: 64 }, (_, at) => `S${at}`));
  expect(book.candles("A")).toEqual([]);
});

function bar(time_s: number, price: number, volume: number): Candle {
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
  expect(chartPast(5, [bar(60, 2, 20)], 90, [], trade(88, 3, 500)).candles).toEqual([bar(85, 3, 0)]);
  expect(chartPast(60, [bar(60, 2, 20)], 90, [], trade(130, 3)).candles).toEqual([bar(60, 2, 20)]);
});

test("an older part of a bar that is past changes nothing", () => {
  const builder = new CandleBuilder(60);
  builder.fold(bar(60, 2, 20));
  expect(builder.fold(bar(30, 1, 1))).toBeUndefined();
  expect(builder.candles).toEqual([bar(60, 2, 20)]);
});
