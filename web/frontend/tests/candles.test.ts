import { expect, test } from "vitest";
import { CandleBuilder, type Trade } from "../src/candles";

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
