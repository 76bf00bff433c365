import type { Quote, SymbolInfo } from "../src/model/wire";

/** A quote with what every quote has; `rest` is what the test is about. */
export function quote(symbol: string, seq: number, price: number, rest: Partial<Quote> = {}): Quote {
  return { symbol, seq, price, received_time: 1_000_000 + seq, source: "sim", kind: "simulated", state: "fresh", ...rest };
}

export function info(symbol: string, rest: Partial<SymbolInfo> = {}): SymbolInfo {
  return { symbol, status: "live", feed: "sim", ...rest };
}
