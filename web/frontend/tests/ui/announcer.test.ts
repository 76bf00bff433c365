import { beforeEach, describe, expect, test } from "vitest";
import { Announcer } from "../../src/ui/announcer";

describe("what is read out", () => {
  let now_ms: number;
  let timers: { due_ms: number; callback: () => void }[];
  let spoken: string[];
  let announcer: Announcer;

  beforeEach(() => {
    now_ms = 0;
    timers = [];
    spoken = [];
    const region = { set textContent(text: string | null) { spoken.push(text ?? ""); }, get textContent() { return spoken.at(-1) ?? ""; } };
    announcer = new Announcer(region, { now: () => now_ms, setTimer: (callback, delay_ms) => timers.push({ due_ms: now_ms + delay_ms, callback }) });
  });

  function pass(duration_ms: number): void {
    now_ms += duration_ms;
    for (const timer of timers.splice(0)) timer.due_ms <= now_ms ? timer.callback() : timers.push(timer);
  }

  test("the first sentence at once, of the next ones the newest, three seconds later", () => {
    announcer.say("one");
    pass(0);
    for (const sentence of ["two", "three", "four"]) announcer.say(sentence);
    pass(2999);
    expect(spoken).toEqual(["one"]);
    pass(1);
    expect(spoken).toEqual(["one", "four"]);
  });

  test("a price that moves all the time, every ten seconds", () => {
    for (let tick = 0; tick < 350; tick += 1) {
      announcer.murmur(() => `price ${tick}`);
      pass(100);
    }
    expect(spoken).toEqual(["price 0", "price 100", "price 200", "price 300"]);
  });

  test("a price that is not worth what it was, at once", () => {
    announcer.murmur(() => "price");
    pass(0);
    announcer.murmur(() => "price, stale", true);
    announcer.murmur(() => "price");
    pass(3000);
    expect(spoken).toEqual(["price", "price, stale"]);
  });

  test("and beside what else must be known", () => {
    announcer.say("Connection: Live");
    pass(0);
    announcer.say("Connection: Recovering");
    announcer.murmur(() => "price, stale", true);
    announcer.murmur(() => "price, waiting", true);
    pass(3000);
    expect(spoken).toEqual(["Connection: Live", "Connection: Recovering. price, waiting"]);
  });

  test("never a price in place of what must be known", () => {
    announcer.say("Connection: Recovering");
    announcer.murmur(() => "price");
    pass(0);
    announcer.murmur(() => "price");
    pass(1000);
    expect(spoken).toEqual(["Connection: Recovering"]);
  });
});
