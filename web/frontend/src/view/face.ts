import { inGroup, type SymbolInfo } from "../model/wire";

/** Which face of the page an address asks for, and what it limits it to. */
export interface Face {
  kind: "desk" | "kiosk" | "embed";
  /** Only this group; the reader's own choice of groups is then neither shown nor kept. */
  group: string | undefined;
  /** Only these symbols. */
  symbols: ReadonlySet<string> | undefined;
  /** One connection for all tabs; `?noworker` keeps it in the page, for browsers in which a SharedWorker misbehaves. */
  shared: boolean;
}

/** Reads `/`, `/?kiosk=1&group=X`, `/embed?symbols=A,B`, `/tape?symbols=A,B&group=X`. */
export function readFace(url: URL): Face {
  const query = url.searchParams;
  const listed = query.get("symbols")?.split(",").filter(Boolean);
  return {
    kind: url.pathname.endsWith("/embed") ? "embed" : query.has("kiosk") && query.get("kiosk") !== "0" ? "kiosk" : "desk",
    group: query.get("group") || undefined,
    symbols: listed && listed.length > 0 ? new Set(listed) : undefined,
    shared: !query.has("noworker"),
  };
}

/** Whether what an address asks for has `info` in it. */
export function shows({ symbols, group }: Pick<Face, "symbols" | "group">, info: SymbolInfo): boolean {
  return (symbols === undefined || symbols.has(info.symbol)) && inGroup(info, group);
}
