const BARE = /^[A-Za-z0-9_-]+$/;
/** What a symbol may be: see `docs/settings.md`. */
const SYMBOL = /^[A-Z0-9^][A-Z0-9.\-_=^/:+]{0,31}$/i;

/** Whether the settings would take `symbol` for a symbol's name. */
export function isSymbol(symbol: string): boolean {
  return SYMBOL.test(symbol) && !symbol.includes("//") && !symbol.endsWith("/") && !symbol.split("/").some((part) => part === "." || part === "..");
}

/** The line of `[symbols]` that adds `symbol`. A dot or a slash in a bare key would mean something else: such a name is quoted. */
export function symbolLine(symbol: string, feed: string): string {
  return `${BARE.test(symbol) ? symbol : JSON.stringify(symbol)} = { feed = ${JSON.stringify(feed)} }`;
}
