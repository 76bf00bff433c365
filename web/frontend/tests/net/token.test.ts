import { expect, test } from "vitest";
import { TokenBox } from "../../src/net/token";

test("a token has to be typed again where the browser keeps nothing", () => {
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
