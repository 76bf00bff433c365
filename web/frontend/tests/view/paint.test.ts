import { beforeEach, expect, test } from "vitest";
import { PaintGate, type Frames, type PaintInfo } from "../../src/view/paint";

/** A browser whose clock, frames, timers and visibility are moved by hand. */
class SteppedFrames implements Frames {
  time_ms = 0;
  isHidden = false;
  frames = new Map<number, () => void>();
  timers = new Map<number, { due_ms: number; callback: () => void }>();
  private next = 1;

  now = (): number => this.time_ms;
  hidden = (): boolean => this.isHidden;
  requestFrame = (callback: () => void): number => {
    this.frames.set(this.next, callback);
    return this.next++;
  };
  cancelFrame = (id: number): void => void this.frames.delete(id);
  setTimer = (callback: () => void, delay_ms: number): number => {
    this.timers.set(this.next, { due_ms: this.time_ms + delay_ms, callback });
    return this.next++;
  };
  clearTimer = (id: number): void => void this.timers.delete(id);
  painted: (() => void)[] = [];
  afterFrame = (callback: () => void): void => void this.painted.push(callback);

  /** The browser draws a frame. */
  frame(): void {
    const due = [...this.frames.values()];
    this.frames.clear();
    for (const callback of due) callback();
  }

  /** Time passes; timers fall due. */
  pass(ms: number): void {
    this.time_ms += ms;
    for (const [id, { due_ms, callback }] of [...this.timers]) {
      if (due_ms > this.time_ms) continue;
      this.timers.delete(id);
      callback();
    }
  }
}

let browser: SteppedFrames;
let paints: PaintInfo[];
let gate: PaintGate;

beforeEach(() => {
  browser = new SteppedFrames();
  paints = [];
  gate = new PaintGate(browser, (info) => paints.push(info));
});

test("any number of changes make one paint a frame", () => {
  for (let change = 0; change < 100; change += 1) gate.request();
  expect(paints).toHaveLength(0);
  browser.frame();
  expect(paints).toHaveLength(1);
  browser.frame();
  browser.pass(1000);
  expect(paints).toHaveLength(1);
});

test("a change after a frame gets the next one", () => {
  gate.request();
  browser.frame();
  gate.request();
  browser.frame();
  expect(paints).toHaveLength(2);
});

test("starved of frames it paints after 250 ms all the same, once", () => {
  gate.request();
  browser.pass(249);
  expect(paints).toHaveLength(0);
  browser.pass(1);
  expect(paints).toHaveLength(1);
  browser.frame();
  expect(paints).toHaveLength(1);
  expect(paints[0]?.catchUp).toBe(false);
});

test("a hidden tab is not painted; on its return once, as a catch-up", () => {
  browser.isHidden = true;
  gate.visibilityChanged();
  for (let change = 0; change < 100; change += 1) gate.request();
  browser.frame();
  browser.pass(600_000);
  expect(paints).toHaveLength(0);
  browser.isHidden = false;
  gate.visibilityChanged();
  browser.frame();
  expect(paints.map((paint) => paint.catchUp)).toEqual([true]);
  gate.request();
  browser.frame();
  expect(paints.map((paint) => paint.catchUp)).toEqual([true, false]);
});

test("a paint that was due when the tab was hidden becomes part of the catch-up", () => {
  gate.request();
  browser.isHidden = true;
  gate.visibilityChanged();
  browser.frame();
  browser.pass(1000);
  expect(paints).toHaveLength(0);
  browser.isHidden = false;
  gate.visibilityChanged();
  browser.frame();
  expect(paints.map((paint) => paint.catchUp)).toEqual([true]);
});

test("a return with nothing missed paints nothing", () => {
  browser.isHidden = true;
  gate.visibilityChanged();
  browser.isHidden = false;
  gate.visibilityChanged();
  browser.frame();
  expect(paints).toHaveLength(0);
});

test("a page that was frozen with a paint under way catches up quietly", () => {
  gate.request();
  browser.time_ms += 600_000; // frozen: no frame, no timer
  browser.frame();
  expect(paints.map((paint) => paint.catchUp)).toEqual([true]);
});

test("while the reader scrolls a paint comes five times a second; the first one after that at once", () => {
  const change = (): void => {
    gate.request();
    browser.frame();
  };
  change();
  for (let frame = 0; frame < 60; frame += 1) {
    browser.pass(10);
    gate.scrolled();
    change();
  }
  expect(paints.map((paint) => paint.now_ms)).toEqual([0, 200, 400, 600]);
  browser.pass(130);
  change();
  expect(paints.map((paint) => paint.now_ms)).toEqual([0, 200, 400, 600, 730]);
});

test("what changed during a scroll is painted when its time comes, also where nothing changes after it", () => {
  gate.request();
  browser.frame();
  browser.pass(50);
  gate.scrolled();
  gate.request();
  browser.pass(150);
  browser.frame();
  expect(paints.map((paint) => paint.now_ms)).toEqual([0, 200]);
});

test("a paint that took long is followed by a rest of half as long", () => {
  const change = (): void => {
    gate.request();
    browser.frame();
  };
  change();
  browser.time_ms += 10;
  browser.painted.splice(0).forEach((each) => each());
  change();
  expect(paints.map((paint) => paint.now_ms)).toEqual([0]);
  browser.pass(4);
  browser.frame();
  expect(paints.map((paint) => paint.now_ms)).toEqual([0]);
  browser.pass(1);
  browser.frame();
  expect(paints.map((paint) => paint.now_ms)).toEqual([0, 15]);
});

test("however long paints take, the next follows within 50 ms", () => {
  gate.request();
  browser.frame();
  browser.time_ms += 400;
  browser.painted.splice(0).forEach((each) => each());
  gate.request();
  browser.pass(49);
  browser.frame();
  expect(paints.map((paint) => paint.now_ms)).toEqual([0]);
  browser.pass(1);
  browser.frame();
  expect(paints.map((paint) => paint.now_ms)).toEqual([0, 450]);
});
