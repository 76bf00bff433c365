/** Numbers, ages and times as text. Formatters are built once a locale and kept: building one costs as much as using it 100 times. */

/** Digits that stay readable: two from 10 up, four from 1 up, four significant ones below; at most 12. */
export function decimalsByMagnitude(price: number): number {
  const size = Math.abs(price);
  if (size === 0 || size >= 10) return 2;
  if (size >= 1) return 4;
  return Math.min(12, 3 - Math.floor(Math.log10(size)));
}

/** The setting where there is one; else by magnitude, and never fewer than were shown before. */
export function decimalsFor(price: number | undefined, setting: number | null | undefined, before: number): number {
  if (setting !== null && setting !== undefined) return setting;
  return price === undefined ? before : Math.max(before, decimalsByMagnitude(price));
}

const UNITS: readonly (readonly [seconds: number, letter: string])[] = [[86_400, "d"], [3600, "h"], [60, "m"]];

/** An age in its largest whole unit: "<1s", "12s", "3m", "2h", "5d". Negative ages (clocks differ) count as none. */
export function formatAge(age_ms: number): string {
  const seconds = Math.floor(age_ms / 1000);
  if (seconds < 1) return "<1s";
  for (const [unit, letter] of UNITS) {
    if (seconds >= unit) return `${Math.floor(seconds / unit)}${letter}`;
  }
  return `${seconds}s`;
}

/** Numbers whose texts are remembered, of each kind: most of a row's numbers are those of a moment ago. */
const REMEMBERED = 4096;

/** One way to write numbers. Writing one costs 50 times as much as finding it written. */
class Writer {
  private readonly written = new Map<number, string>();

  constructor(private readonly format: Intl.NumberFormat) {}

  write(value: number): string {
    const known = this.written.get(value);
    if (known !== undefined) return known;
    const text = this.format.format(value + 0); // no minus before nothing: to the map -0 is 0
    if (this.written.size >= REMEMBERED) this.written.clear();
    this.written.set(value, text);
    return text;
  }
}

/** From here up no digit after the point is true, and a number's own length says nothing any more. */
const HUGE = 1e16;
/** Below this four digits need more noughts before them than they are long. */
const TINY = 1e-3;

function signed(value: number, text: string): string {
  return value > 0 ? `+${text}` : text;
}

export class Formatter {
  private readonly fixed = new Map<string, Writer>();
  private readonly compact = this.lazily(() => this.writer({ notation: "compact", maximumSignificantDigits: 4 }));
  private readonly tiny = this.lazily(() => this.writer({ notation: "scientific", maximumSignificantDigits: 4 }));
  private readonly huge = this.lazily(() => this.writer({ notation: "scientific", maximumSignificantDigits: 15 }));
  private readonly clock = this.lazily(() => this.dating({ timeStyle: "medium" }));
  private readonly minutes = this.lazily(() => this.dating({ timeStyle: "short" }));
  private readonly days = this.lazily(() => this.dating({ month: "short", day: "numeric" }));
  private readonly dated = this.lazily(() => this.dating({ dateStyle: "medium", timeStyle: "long" }));
  private readonly dates = this.lazily(() => this.dating({ dateStyle: "short" }));
  private readonly stamps = this.lazily(() => this.dating({ dateStyle: "medium", timeStyle: "medium" }));

  /** `locale`: a BCP 47 tag; `timeZone`: an IANA name, by default the reader's own. */
  constructor(readonly locale: string, readonly timeZone: string | undefined = undefined) {}

  price(value: number | undefined, decimals: number): string {
    if (value === undefined) return "";
    return Math.abs(value) < HUGE ? this.number(decimals, "auto").write(value) : this.huge().write(value);
  }

  /** With its sign, also where all digits shown are zero; nothing at all has none. */
  change(value: number | undefined, decimals: number): string {
    if (value === undefined) return "";
    if (Math.abs(value) >= HUGE) return signed(value, this.huge().write(value));
    return this.number(decimals, value === 0 ? "auto" : "always").write(value);
  }

  /** `value` is in percent: 1.27 becomes "+1.27%". */
  percent(value: number | undefined): string {
    return value === undefined ? "" : `${this.change(value, 2)}%`;
  }

  /** Where there is room for one of the two: in percent, unless no percentage can be told, as from a price below zero. */
  moved(change: number | undefined, change_pct: number | undefined, decimals: number): string {
    return this.percent(change_pct) || this.change(change, decimals);
  }

  volume(value: number | undefined): string {
    if (value === undefined) return "";
    return Math.abs(value) < HUGE ? this.compact().write(value) : this.huge().write(value);
  }

  /** Where there is no room for the number: four of its digits, with a sign that says so. */
  short(value: number | undefined): string {
    return value === undefined ? "" : `≈${this.rounded(value)}`;
  }

  /** The same with the number's sign. */
  shortChange(value: number | undefined): string {
    return value === undefined ? "" : `≈${signed(value, this.rounded(value))}`;
  }

  /** Time of day of an epoch in ms. */
  time(epoch_ms: number): string {
    return this.clock().format(epoch_ms);
  }

  /** The same, with its date once that is not the date of `now_ms`. */
  stamp(epoch_ms: number, now_ms: number): string {
    return this.dates().format(epoch_ms) === this.dates().format(now_ms) ? this.time(epoch_ms) : this.stamps().format(epoch_ms);
  }

  /** The same without seconds. */
  minute(epoch_ms: number): string {
    return this.minutes().format(epoch_ms);
  }

  /** The day of an epoch in ms, without its year. */
  day(epoch_ms: number): string {
    return this.days().format(epoch_ms);
  }

  /** Date, time and zone of an epoch in ms. */
  moment(epoch_ms: number): string {
    return this.dated().format(epoch_ms);
  }

  /** The zone that times are shown in at `epoch_ms`, e.g. "GMT+2". */
  zone(epoch_ms: number): string {
    const parts = new Intl.DateTimeFormat(this.locale, { timeZone: this.timeZone, timeZoneName: "short" }).formatToParts(epoch_ms);
    return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  }

  /** The same zone by its name, e.g. "Europe/Berlin". */
  zoneName(): string {
    return this.clock().resolvedOptions().timeZone;
  }

  private rounded(value: number): string {
    const size = Math.abs(value);
    return (size === 0 || (size >= TINY && size < HUGE) ? this.compact() : this.tiny()).write(value);
  }

  /** What is made when it is first used: a formatter takes milliseconds to make, and a page that opens uses few of them. */
  private lazily<T>(make: () => T): () => T {
    let made: T | undefined;
    return () => (made ??= make());
  }

  private writer(options: Intl.NumberFormatOptions): Writer {
    return new Writer(new Intl.NumberFormat(this.locale, options));
  }

  private dating(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return new Intl.DateTimeFormat(this.locale, { ...options, timeZone: this.timeZone });
  }

  private number(decimals: number, signDisplay: "auto" | "always"): Writer {
    const key = `${decimals}${signDisplay}`;
    let format = this.fixed.get(key);
    if (!format) {
      format = new Writer(new Intl.NumberFormat(this.locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals, signDisplay }));
      this.fixed.set(key, format);
    }
    return format;
  }
}
