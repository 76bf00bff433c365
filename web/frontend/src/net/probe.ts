/** A probe that was not answered is given up. A late answer to it says nothing. */
const PROBE_LIMIT_MS = 20_000;

/** Measures the round trip by a message that the server echoes, one at a time. */
export class Probe {
  private sent: { text: string; sent_ms: number; done: (round_trip_ms: number) => void } | undefined;

  constructor(private readonly send: (text: string) => void) {}

  /** Sends one, unless an earlier one is under way. `done` is told the milliseconds there and back. */
  start(done: (round_trip_ms: number) => void): void {
    const sent_ms = performance.now();
    if (this.sent && sent_ms - this.sent.sent_ms < PROBE_LIMIT_MS) return;
    const text = `probe ${sent_ms}`;
    this.sent = { text, sent_ms, done };
    this.send(text);
  }

  /** A message came: it may be the answer. */
  heard(text: string): void {
    if (!this.sent || text !== `Echo: ${this.sent.text}`) return;
    this.sent.done(performance.now() - this.sent.sent_ms);
    this.sent = undefined;
  }

  /** The connection that it went over is gone. */
  forget(): void {
    this.sent = undefined;
  }
}
