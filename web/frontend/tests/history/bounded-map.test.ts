import { describe, expect, test } from "vitest";
import { BoundedMap } from "../../src/history/bounded-map";

describe("a bounded map", () => {
  test("lets the entry go that was not touched for longest", () => {
    const made: string[] = [];
    const bounded = new BoundedMap<string, string>(2, (key) => (made.push(key), key));
    for (const key of ["a", "b", "a", "c"]) bounded.touch(key);
    expect([bounded.get("a"), bounded.get("b"), bounded.get("c")]).toEqual(["a", undefined, "c"]);
    expect(made).toEqual(["a", "b", "c"]);
  });
});
