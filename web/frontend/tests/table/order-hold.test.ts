import { describe, expect, test } from "vitest";
import { OrderHold } from "../../src/table/order-hold";

describe("the order", () => {
  function stage(): { pointer: { over: boolean; focused: boolean; finger: boolean; now_ms: number }; hold: OrderHold } {
    const pointer = { over: false, focused: false, finger: false, now_ms: 0 };
    return { pointer, hold: new OrderHold({ isOver: () => pointer.over, isFocused: () => pointer.focused, isFinger: () => pointer.finger, now: () => pointer.now_ms }) };
  }

  test("is held while the pointer is over the rows, or one has the focus, however long", () => {
    const { pointer, hold } = stage();
    pointer.now_ms = 10_000;
    expect([hold.rests, hold.holds]).toEqual([false, false]);
    for (const why of ["over", "focused"] as const) {
      pointer[why] = true;
      pointer.now_ms += 1e7;
      expect([hold.rests, hold.holds]).toEqual([true, true]);
      pointer[why] = false;
      expect(hold.holds).toBe(false);
    }
  });

  test("is held while a mouse is on its way", () => {
    const { pointer, hold } = stage();
    pointer.now_ms = 10_000;
    hold.moved();
    pointer.now_ms += 399;
    expect([hold.rests, hold.holds]).toEqual([false, true]);
    pointer.now_ms += 1;
    expect(hold.holds).toBe(false);
  });

  test("changes more rarely under fingers, which can't be seen coming", () => {
    const { pointer, hold } = stage();
    hold.ordered();
    expect(hold.holds).toBe(false);
    pointer.finger = true;
    pointer.now_ms = 2999;
    expect([hold.rests, hold.holds]).toEqual([false, true]);
    pointer.now_ms = 3000;
    expect(hold.holds).toBe(false);
  });

  test("is held from a touch until some time after it, and not by what a finger leaves behind", () => {
    const { pointer, hold } = stage();
    pointer.now_ms = 10_000;
    hold.touches(true);
    pointer.now_ms += 1e6;
    expect(hold.rests).toBe(true);
    hold.touches(false);
    pointer.now_ms += 4999;
    expect(hold.rests).toBe(true);
    pointer.focused = true;
    pointer.over = true;
    pointer.now_ms += 1;
    expect(hold.rests).toBe(false);
    hold.typed();
    expect(hold.rests).toBe(true);
  });
});
