/** How many of the newest clock samples are weighed, and how far apart they are at least, ms. */
const CLOCK_SAMPLES = 4;
const CLOCK_SPACING_MS = 1000;

/**
 * The server's clock, guessed from the stamps in its messages.
 *
 * A stamp is always too old by its travel time, never too new; the largest of the last few differences is the one that
 * travelled fastest. Only the last few count, so a clock that is set anew is followed after as many beats. What arrives in one
 * burst counts as one sample: it may be a backlog (a lid was closed, a network was gone), and all but its end are old.
 */
export class ServerClock {
  private readonly samples: { offset_ms: number; begun_ms: number }[] = [];

  /** `server_ms`: the stamp; `now_ms`: this page's clock (epoch) on arrival. */
  sample(server_ms: number, now_ms: number): void {
    const offset_ms = server_ms - now_ms;
    const newest = this.samples[this.samples.length - 1];
    if (newest && Math.abs(now_ms - newest.begun_ms) < CLOCK_SPACING_MS) {
      newest.offset_ms = Math.max(newest.offset_ms, offset_ms);
      return;
    }
    this.samples.push({ offset_ms, begun_ms: now_ms });
    if (this.samples.length > CLOCK_SAMPLES) this.samples.shift();
  }

  /** Another process speaks: its clock may be another. */
  reset(): void {
    this.samples.length = 0;
  }

  /** The server's time (epoch ms) at `now_ms` of this page's clock. */
  at(now_ms: number): number {
    if (this.samples.length === 0) return now_ms;
    return now_ms + Math.max(...this.samples.map((sample) => sample.offset_ms));
  }

  /** When the server wrote what it stamped `server_ms`, by this page's clock; not later than it arrived, at `now_ms`. */
  saidAt(server_ms: number, now_ms: number): number {
    return now_ms - Math.max(0, this.at(now_ms) - server_ms);
  }
}
