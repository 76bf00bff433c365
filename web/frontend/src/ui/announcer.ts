/** A screen reader that is told everything says nothing: one sentence at a time, not sooner than so. */
const QUIET_MS = 3000;

/** Speaks through an `aria-live` region, the newest sentence only. */
export class Announcer {
  private next: string | undefined;
  private timer: number | undefined;
  private spoken_ms = -QUIET_MS;

  constructor(private readonly region: HTMLElement) {}

  say(sentence: string): void {
    this.next = sentence;
    if (this.timer !== undefined) return;
    this.timer = window.setTimeout(() => this.speak(), Math.max(0, this.spoken_ms + QUIET_MS - performance.now()));
  }

  private speak(): void {
    this.timer = undefined;
    this.spoken_ms = performance.now();
    if (this.next !== undefined) this.region.textContent = this.next;
  }
}
