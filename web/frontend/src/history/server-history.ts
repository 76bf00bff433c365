import type { Candle } from "./candles";
import type { Candles, Sparklines } from "../model/wire";

/** Symbols in one question for sparklines: its address stays well below what servers take. */
const CHUNK = 50;
/** After a question that failed nothing is asked for so long, ms. */
const REST_MS = 5000;

type Points = readonly (readonly [time_ms: number, price: number])[];

/** Reads JSON of this server, at a path without a slash before it. Rejects where there is no good answer. */
export type ReadJson = (path: string) => Promise<unknown>;

/** Asks the server for the last hour of symbols, once a connection each: after a gap in the connection there may be one in the line. */
export class SparkHistory {
  private readonly asked = new Set<string>();
  private generation = 0;
  private rest_until_ms = 0;

  constructor(private readonly read: ReadJson, private readonly take: (sparklines: ReadonlyMap<string, Points>) => void) {}

  /** `symbols` are in view on connection `generation`. `now_ms`: any clock that only goes forward. */
  async need(symbols: readonly string[], generation: number, now_ms: number): Promise<void> {
    if (generation !== this.generation) this.asked.clear();
    this.generation = generation;
    const missing = now_ms < this.rest_until_ms ? [] : symbols.filter((symbol) => !this.asked.has(symbol));
    for (const symbol of missing) this.asked.add(symbol);
    for (let from = 0; from < missing.length; from += CHUNK) await this.ask(missing.slice(from, from + CHUNK), now_ms);
  }

  private async ask(symbols: readonly string[], now_ms: number): Promise<void> {
    try {
      const answer = (await this.read(`api/sparkline?symbols=${symbols.map(encodeURIComponent).join(",")}`)) as Sparklines;
      this.take(new Map(Object.entries(answer.sparklines)));
    } catch {
      for (const symbol of symbols) this.asked.delete(symbol);
      this.rest_until_ms = now_ms + REST_MS;
    }
  }
}

/** The last hour of `symbol` in bars of a minute; none where the server can't say. */
export async function readCandles(read: ReadJson, symbol: string): Promise<Candle[]> {
  try {
    const answer = (await read(`api/candles/${encodeURIComponent(symbol)}`)) as Candles;
    return answer.candles.map(({ time_ms, open, high, low, close, volume }) => ({ time_s: time_ms / 1000, open, high, low, close, volume }));
  } catch {
    return [];
  }
}
