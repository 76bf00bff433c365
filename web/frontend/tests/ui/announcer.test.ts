import { beforeEach, describe, expect, test, vi } from "vitest";
import { requestChange } from "../../src/net/admin";
import type { Ask } from "../../src/net/ask-server";
import { TokenBox } from "../../src/net/token";
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

describe("a change of the symbols", () => {
  const answered = (status: number, body: unknown): Ask => vi.fn(async () => new Response(JSON.stringify(body), { status }));

  test("sends the token in a header and never in an address", async () => {
    const send = answered(201, { ok: true });
    expect(await requestChange(send, "secret-secret-secret", { add: "BTC/USD", feed: "sim" })).toBeUndefined();
    expect(await requestChange(send, "secret-secret-secret", { remove: "BTC/USD" })).toBeUndefined();
    const calls = vi.mocked(send).mock.calls;
    expect(calls.map(([path, init]) => [path, init?.method, init?.body])).toEqual([
      ["api/symbols", "POST", '{"symbol":"BTC/USD","feed":"sim"}'], ["api/symbols/BTC%2FUSD", "DELETE", undefined],
    ]);
    for (const [path, init] of calls) {
      expect(init?.headers).toMatchObject({ Authorization: "Bearer secret-secret-secret" });
      expect(String(path)).not.toContain("secret");
    }
  });

  test("says why it was refused, whatever came back", async () => {
    const refused = answered(401, { error: { code: "unauthorized", message: "the admin token is missing or wrong" } });
    expect(await requestChange(refused, "", { remove: "A" })).toEqual({ code: "unauthorized", message: "the admin token is missing or wrong" });
    const broken = vi.fn(async () => new Response("<html>", { status: 502 }));
    expect(await requestChange(broken, "", { remove: "A" })).toMatchObject({ code: "unreachable" });
    expect(await requestChange(vi.fn(() => Promise.reject(new TypeError("no network"))), "", { remove: "A" })).toEqual({ code: "unreachable", message: "no network" });
  });

  test("needs the token typed again where the browser keeps nothing", () => {
    const kept = new Map<string, string>();
    const box = new TokenBox({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) }, "k");
    box.keep("t");
    expect(box.read()).toBe("t");
    box.forget();
    expect(box.read()).toBe("");
    const none = new TokenBox(undefined, "k");
    none.keep("t");
    expect(none.read()).toBe("");
  });
});
