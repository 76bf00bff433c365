import { expect, test, vi } from "vitest";
import { PriceHistory } from "../../src/history/price-history";
import { quote } from "../quotes";

test("what was in view has a past in seconds and a line, what was not has neither", async () => {
  let filled = 0;
  const history = new PriceHistory(async () => ({ sparklines: { A: [[0, 4]] } }), () => 2 * 60_000, () => (filled += 1));
  history.watch(["A"], 1, 0);
  await vi.waitFor(() => expect(filled).toBe(1));
  history.add(quote("A", 1, 5, { received_time: 2 * 60_000 }), "session", 1);
  history.add(quote("B", 1, 5, { received_time: 2 * 60_000 }), "session", 1);
  expect(history.sparks.points("A").map((point) => point.price)).toEqual([4, 5]);
  expect([history.seconds.candles("A").length, history.seconds.candles("B").length]).toEqual([1, 0]);
  history.delete("A");
  expect([history.sparks.points("A"), history.seconds.candles("A")]).toEqual([[], []]);
});
