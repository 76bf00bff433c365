/** The timer an announcer needs; tests step it. */
export interface AnnounceTimer {
  now(): number;
  setTimer(callback: () => void, delay_ms: number): unknown;
}

/** A screen reader that is told everything says nothing: one sentence at a time, not sooner than so. */
const QUIET_MS = 3000;
/** A price that moves is read out not oftener than so. */
const MURMUR_MS = 10_000;

/** Speaks through an `aria-live` region, the newest sentence only. */
export class Announcer {
  private next: string | undefined;
  private armed = false;
  private spoken_ms = -Infinity;
  private murmured_ms = -Infinity;

  constructor(private readonly region: { textContent: string | null }, private readonly timer: AnnounceTimer) {}

  /** Something the reader must know: a connection that was lost, a feed that is down. */
  say(sentence: string): void {
    this.next = sentence;
    if (this.armed) return;
    this.armed = true;
    this.timer.setTimer(() => this.speak(), Math.max(0, this.spoken_ms + QUIET_MS - this.timer.now()));
  }

  /** Something that moves all the time. Dropped where it comes too soon, or where there is anything else to say. */
  murmur(sentence: () => string): void {
    const now_ms = this.timer.now();
    if (this.armed || now_ms < this.murmured_ms + MURMUR_MS || now_ms < this.spoken_ms + QUIET_MS) return;
    this.murmured_ms = now_ms;
    this.say(sentence());
  }

  private speak(): void {
    this.armed = false;
    this.spoken_ms = this.timer.now();
    if (this.next !== undefined) this.region.textContent = this.next;
  }
}
