import { describe, expect, test } from "vitest";
import { ServerClock } from "../../src/model/server-clock";

describe("the server's clock", () => {
  test("runs by the stamp that travelled fastest", () => {
    const clock = new ServerClock();
    clock.sample(10_000, 5000); // travelled 0 ms: the server is 5,000 ms ahead
    clock.sample(11_000, 6300); // travelled 300 ms
    expect(clock.at(7000)).toBe(12_000);
  });

  test("is followed when it is set back", () => {
    const clock = new ServerClock();
    clock.sample(10_000, 5000);
    for (let beat = 1; beat <= 4; beat += 1) clock.sample(beat * 5000, 5000 + beat * 5000);
    expect(clock.at(40_000)).toBe(35_000);
  });

  test("is not led astray by a backlog: a burst of old stamps is one sample", () => {
    const clock = new ServerClock();
    clock.sample(10_000, 10_000);
    for (let beat = 0; beat < 100; beat += 1) clock.sample(15_000 + beat * 5000, 600_000); // ten minutes of beats at once
    expect(clock.at(600_000)).toBe(600_000);
  });

  test("says when a word was said: a late one was said long ago, and none in the future", () => {
    const clock = new ServerClock();
    clock.sample(10_000, 10_000);
    expect(clock.saidAt(15_000, 600_000)).toBe(15_000);
    expect(clock.saidAt(20_500, 20_000)).toBe(20_000);
  });

  test("is ours until it has spoken", () => {
    expect(new ServerClock().at(123)).toBe(123);
  });
});
