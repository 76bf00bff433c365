import { decimalsFor } from "./format";
import type { Quote, SymbolInfo } from "./wire";

/** One line of the table. The object lives as long as its symbol is in the settings; its fields change in place. */
export interface Row {
  readonly symbol: string;
  info: SymbolInfo;
  quote: Quote | undefined;
  /** The server's run that `quote` counts in. */
  epoch: string;
  /** Digits after the point. Never shrinks, so that a price crossing 10 does not make the column jump. */
  decimals: number;
  /** The connection in which the server last vouched for `quote`; another one means the price is from before. */
  generation: number;
  /** What the eye saw last, for the direction and size of the next flash. */
  painted: { price: number; generation: number } | undefined;
  /** Direction and size of the last move that was painted. */
  move: number;
  /** When the oldest unpainted quote came off the wire, epoch ms; 0 once painted. */
  arrived_ms: number;
}

export interface SymbolChanges {
  added: Row[];
  removed: Row[];
}

/** How many quotes of symbols not listed yet are kept for the list that will name them. */
const MAX_EARLY_QUOTES = 1000;

/**
 * The newest quote of every symbol: merged on arrival, painted later.
 *
 * Two roads carry the same quotes (the board at its own pace, a namespace a symbol), so they overlap and overtake one
 * another: the higher `seq` wins. `seq` counts within an `epoch`; a new epoch starts a new count. No clock, no DOM.
 */
export class Store {
  readonly rows = new Map<string, Row>();
  readonly dirty = new Set<Row>();
  /** Grows with each connection: a row whose `generation` is older shows a price nobody vouches for any more. */
  generation = 0;
  epoch = "";
  /** Updates that were folded into newer ones on the way here, known from gaps in `seq`. */
  folded = 0;
  private readonly early = new Map<string, Quote>();
  private readonly remembered = new Map<string, Quote>();

  /** Quotes of before any connection: their rows show them, and nobody vouches for them. */
  remember(epoch: string, quotes: readonly Quote[]): void {
    this.epoch = epoch;
    for (const quote of quotes) this.remembered.set(quote.symbol, quote);
  }

  /** A connection said hello: until quotes arrive on it, every price is from before. */
  begin(epoch: string): void {
    this.generation += 1;
    if (epoch !== this.epoch) {
      this.early.clear();
      this.remembered.clear();
    }
    this.epoch = epoch;
    for (const row of this.rows.values()) this.dirty.add(row);
  }

  /** The complete list of symbols, in the order of the settings. */
  applySymbols(list: readonly SymbolInfo[]): SymbolChanges {
    const changes: SymbolChanges = { added: [], removed: [] };
    const listed = new Set<string>();
    for (const info of list) {
      listed.add(info.symbol);
      const row = this.rows.get(info.symbol);
      if (row) {
        row.info = info;
        row.decimals = decimalsFor(row.quote?.price, info.decimals, row.decimals);
        this.dirty.add(row);
      } else {
        changes.added.push(this.add(info));
      }
    }
    for (const [symbol, row] of this.rows) {
      if (listed.has(symbol)) continue;
      this.rows.delete(symbol);
      this.dirty.delete(row);
      changes.removed.push(row);
    }
    this.remembered.clear();
    this.early.clear(); // what is still there was of a symbol that has left: it must not come back as its first price
    return changes;
  }

  /** Takes in quotes of the current connection, which arrived at `arrived_ms` (epoch). Returns those that are news. */
  applyQuotes(quotes: readonly Quote[], arrived_ms: number): Quote[] {
    return quotes.filter((quote) => {
      const row = this.rows.get(quote.symbol);
      if (!row) this.keepEarly(quote);
      return row !== undefined && this.apply(row, quote, arrived_ms);
    });
  }

  /** The rows to paint now; each is handed out once per change. */
  drain(): Row[] {
    const rows = [...this.dirty];
    this.dirty.clear();
    return rows;
  }

  private add(info: SymbolInfo): Row {
    const quote = this.remembered.get(info.symbol);
    const row: Row = {
      symbol: info.symbol, info, quote, epoch: this.epoch, decimals: decimalsFor(quote?.price, info.decimals, 0),
      generation: 0, painted: undefined, move: 0, arrived_ms: 0,
    };
    this.rows.set(info.symbol, row);
    this.dirty.add(row);
    const early = this.early.get(info.symbol);
    if (early) {
      this.early.delete(info.symbol);
      this.apply(row, early, 0);
    }
    return row;
  }

  private apply(row: Row, quote: Quote, arrived_ms: number): boolean {
    const known = row.quote;
    const sameCount = known !== undefined && row.epoch === this.epoch;
    const vouched = row.generation === this.generation;
    if (sameCount && quote.seq <= known.seq) {
      if (!vouched) this.touch(row); // the snapshot after a reconnect repeats what we have: good again, and no news
      return false;
    }
    if (sameCount && vouched) this.folded += quote.seq - known.seq - 1;
    if (vouched && row.arrived_ms === 0) row.arrived_ms = arrived_ms;
    row.quote = quote;
    row.epoch = this.epoch;
    row.decimals = decimalsFor(quote.price, row.info.decimals, row.decimals);
    this.touch(row);
    return true;
  }

  private touch(row: Row): void {
    row.generation = this.generation;
    this.dirty.add(row);
  }

  /** A quote may overtake the list that names its symbol; it waits here, so that a slow symbol is not left without a price. */
  private keepEarly(quote: Quote): void {
    const known = this.early.get(quote.symbol);
    if (known && known.seq >= quote.seq) return;
    if (!known && this.early.size >= MAX_EARLY_QUOTES) return;
    this.early.set(quote.symbol, quote);
  }
}
