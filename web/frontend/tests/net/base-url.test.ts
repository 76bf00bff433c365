import { describe, expect, test } from "vitest";
import { addressOf, keptAs, placeOf, serverAddress } from "../../src/net/base-url";

const SOURCES = import.meta.glob(["../../src/**/*.ts", "../../public/*", "../../*.html", "../../vite.config.ts"], { query: "?raw", import: "default", eager: true });
/** A quotation mark or a `url(`, a slash, and then a name: an address at the root of the host. */
const AT_THE_ROOT = /(?:["'`]|url\()\/(?![/"'`*])[\w.${]/;

describe.each([
  ["at the root", "http://host:5000/assets/app-1.js", "http://host:5000/", "/socket.io"],
  ["below a prefix", "https://host/a/ticker/assets/worker-1.js", "https://host/a/ticker/", "/a/ticker/socket.io"],
])("a page %s", (_where, script, page, path) => {
  const place = placeOf(script);

  test("asks for everything where it lies", () => {
    expect(addressOf("", place)).toBe(page);
    expect(addressOf("api/candles/BTC%2FUSD", place)).toBe(`${page}api/candles/BTC%2FUSD`);
    expect(serverAddress(place)).toEqual({ origin: new URL(page).origin, path });
  });
});

test("relays below several prefixes of a host keep what they keep apart, and at the root it has its old name", () => {
  const names = ["http://host/assets/a.js", "http://host/a/assets/a.js", "http://host/b/assets/a.js"].map((script) => keptAs("tickercast", placeOf(script)));
  expect(names).toEqual(["tickercast", "tickercast /a/", "tickercast /b/"]);
});

test.each(Object.entries(SOURCES) as [string, string][])("%s names no address at the root of its host", (path, text) => {
  expect(text.length).toBeGreaterThan(0);
  const lines = text.split("\n").filter((line) => AT_THE_ROOT.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line));
  expect(lines.filter((line) => !ALLOWED.some(([file, part]) => path.endsWith(file) && line.includes(part)))).toEqual([]);
});

/** What begins with a slash and is no address: a Socket.IO namespace, the names of modules in the build. */
const ALLOWED: readonly (readonly [file: string, part: string])[] = [
  ["src/net/namespaces.ts", "this.socket(`/${symbol}`)"],
  ["src/view/face.ts", 'endsWith("/embed")'],
  ["vite.config.ts", 'endsWith("/src/app.ts")'],
  ["vite.config.ts", 'path !== "/index.html"'],
];
