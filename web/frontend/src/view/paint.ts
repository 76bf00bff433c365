/** What the gate needs of the browser; tests step it by hand. */
export interface Frames {
  now(): number;
  hidden(): boolean;
  requestFrame(callback: () => void): number;
  cancelFrame(id: number): void;
  setTimer(callback: () => void, delay_ms: number): number;
  clearTimer(id: number): void;
  /** Calls back once the frame that is being made has been laid out and painted. */
  afterFrame(callback: () => void): void;
}

export interface PaintInfo {
  now_ms: number;
  /** The tab was hidden, or the page frozen, before this paint: what changed meanwhile is no news and must not flash. */
  catchUp: boolean;
}

/** Where frames are starved (a busy machine, a covered window), a paint still comes this often. */
const STARVED_MS = 250;
/** While the reader scrolls, no number can be read: what changes meanwhile is painted this often, and the frames belong to the scrolling. */
const SCROLL_PAINT_MS = 200;
/** So long after its last event a scroll is over. */
const SCROLL_REST_MS = 120;
/** After a paint the page rests for half of the time that it took: what else needs the processor, the compositor above all, gets a third. */
const REST = 0.5;
/** However long a paint took, the next one is held back by no more. */
const MOST_REST_MS = 50;
/** A gap between paints, with changes waiting, after which the paint is a catch-up. */
const FROZEN_MS = 5000;

/** Any number of changes, one paint a frame, or fewer while the reader scrolls. A hidden tab is not painted at all; on its return once, quietly. */
export class PaintGate {
  private frame: number | undefined;
  private timer: number | undefined;
  private requested_ms = 0;
  private missed = false;
  private painted_ms = -Infinity;
  private scrolled_ms = -Infinity;
  private rest_ms = 0;
  private rested_ms = -Infinity;

  constructor(private readonly frames: Frames, private readonly paint: (info: PaintInfo) => void) {}

  /** The reader scrolls. */
  scrolled(): void {
    this.scrolled_ms = this.frames.now();
  }

  /** Something changed. */
  request(): void {
    if (this.frames.hidden()) {
      this.missed = true;
      return;
    }
    if (this.frame !== undefined || this.timer !== undefined) return;
    const now_ms = this.frames.now();
    this.requested_ms = now_ms;
    const scrolling = now_ms < this.scrolled_ms + SCROLL_REST_MS;
    const pause_ms = Math.max(this.rested_ms, scrolling ? this.painted_ms + SCROLL_PAINT_MS : 0) - now_ms;
    if (pause_ms > 0) this.timer = this.frames.setTimer(() => this.next(), pause_ms);
    else this.next();
  }

  /** With the next frame; soon also without one. */
  private next(): void {
    this.frame = this.frames.requestFrame(() => this.run());
    this.timer = this.frames.setTimer(() => this.run(), STARVED_MS);
  }

  /** The tab was hidden or shown. */
  visibilityChanged(): void {
    if (this.frames.hidden()) {
      if (this.timer !== undefined) this.missed = true;
      this.cancel();
    } else if (this.missed) {
      this.request();
    }
  }

  private run(): void {
    this.cancel();
    const now_ms = this.frames.now();
    this.painted_ms = now_ms;
    const catchUp = this.missed || now_ms - this.requested_ms > FROZEN_MS;
    this.missed = false;
    this.rested_ms = now_ms + this.rest_ms; // until it is known how long this one took
    this.paint({ now_ms, catchUp });
    this.frames.afterFrame(() => {
      const ended_ms = this.frames.now();
      this.rest_ms = Math.min(MOST_REST_MS, REST * (ended_ms - now_ms));
      this.rested_ms = ended_ms + this.rest_ms;
    });
  }

  private cancel(): void {
    if (this.frame !== undefined) this.frames.cancelFrame(this.frame);
    if (this.timer !== undefined) this.frames.clearTimer(this.timer);
    this.frame = undefined;
    this.timer = undefined;
  }
}

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

/** Runs `callback` once the frame that is being made has been laid out and painted. */
export function afterFrame(callback: () => void): void {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.splice(0).forEach((each) => each());
  }
  waiting.push(callback);
  if (waiting.length === 1) channel.port2.postMessage(undefined);
}

/** Resolves once what stands in the document now has been painted; also in a tab that paints nothing at the moment. */
export function nextPaint(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, STARVED_MS);
    requestAnimationFrame(() => afterFrame(resolve));
  });
}

/** The real browser. */
export const browserFrames: Frames = {
  now: () => performance.now(),
  hidden: () => document.hidden,
  requestFrame: (callback) => requestAnimationFrame(callback),
  cancelFrame: (id) => cancelAnimationFrame(id),
  setTimer: (callback, delay_ms) => window.setTimeout(callback, delay_ms),
  clearTimer: (id) => window.clearTimeout(id),
  afterFrame,
};
