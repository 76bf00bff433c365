import { beforeEach, expect, test } from "vitest";
import { Flasher, type Flashable } from "../src/flash";

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
