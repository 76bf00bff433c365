import { beforeEach, expect, test } from "vitest";
import { Flasher, type Flashable } from "../../src/view/flash";

let timers: { callback: () => void; delay_ms: number }[];
let flasher: Flasher;

beforeEach(() => {
  timers = [];
  flasher = new Flasher({ setTimer: (callback, delay_ms) => void timers.push({ callback, delay_ms }) });
});

function cell(): Flashable {
  return { dataset: {} };
}

test("the sign of the move is the direction", () => {
  const [up, down, still] = [cell(), cell(), cell()];
  flasher.flash(up, 0.01, 0);
  flasher.flash(down, -0.01, 0);
  flasher.flash(still, 0, 0);
  expect([up, down, still].map((each) => each.dataset.flash)).toEqual(["up", "down", undefined]);
});

test("any number of flashes, one timer", () => {
  for (let each = 0; each < 450; each += 1) flasher.flash(cell(), 1, each);
  expect(timers).toHaveLength(1);
});

test("a flash goes out when it is due, a later one stays for its own time", () => {
  const [early, late] = [cell(), cell()];
  flasher.flash(early, 1, 0);
  flasher.flash(late, 1, 200);
  flasher.sweep(350);
  expect([early.dataset.flash, late.dataset.flash]).toEqual([undefined, "up"]);
  expect(timers.at(-1)?.delay_ms).toBe(200);
  flasher.sweep(550);
  expect(late.dataset.flash).toBeUndefined();
});

test("after its time it glows on for a while, unless it is flashed again", () => {
  const [resting, again] = [cell(), cell()];
  flasher.flash(resting, -1, 0);
  flasher.flash(again, -1, 0);
  flasher.sweep(350);
  expect([resting.dataset.glow, again.dataset.glow]).toEqual(["down", "down"]);
  flasher.flash(again, 1, 400);
  expect(again.dataset).toEqual({ flash: "up" });
  flasher.sweep(600);
  expect([resting.dataset, again.dataset]).toEqual([{}, { flash: "up" }]);
});

test("what begins in one frame ends in one frame, and so does what begins a moment later", () => {
  const cells = [cell(), cell(), cell()];
  cells.forEach((each, index) => flasher.flash(each, 1, 1 + 16 * index));
  flasher.sweep(400);
  expect(cells.map((each) => each.dataset.flash)).toEqual([undefined, undefined, undefined]);
});

test("the timer goes on until the last glow is out, and no longer", () => {
  flasher.flash(cell(), 1, 0);
  flasher.sweep(350);
  flasher.sweep(600);
  expect(timers.map((timer) => timer.delay_ms)).toEqual([350, 250]);
});

test("a new move during a flash turns it and begins its time anew", () => {
  const [turned, other] = [cell(), cell()];
  flasher.flash(turned, 1, 0);
  flasher.flash(other, 1, 100);
  flasher.flash(turned, -1, 300);
  flasher.sweep(460);
  expect([turned.dataset.flash, other.dataset.flash]).toEqual(["down", undefined]);
});

test("switched off it does nothing", () => {
  const quiet = cell();
  flasher.enabled = false;
  flasher.flash(quiet, 1, 0);
  expect(quiet.dataset.flash).toBeUndefined();
  expect(timers).toHaveLength(0);
});
