/**
 * Where the page lies, and so everything that it asks for: at the root of a host, or below a prefix that a proxy takes away.
 *
 * This is the one place that knows. No other names an address that begins with a slash (`tests/net/base-url.test.ts`).
 */

/** Every script of the build lies in `assets/`, one step below the page: in the page as in its worker. */
const HERE = placeOf(import.meta.url);

/** The folder of the page whose script this is, with the slash at its end. */
export function placeOf(script: string): URL {
  return new URL("../", script);
}

/** The address of `path`, which has no slash before it: `api/quotes`, `sw.js`. */
export function addressOf(path: string, place = HERE): string {
  return new URL(path, place).href;
}

/** Where Socket.IO is asked: the host, and the path on it. */
export function serverAddress(place = HERE): { origin: string; path: string } {
  return { origin: place.origin, path: `${place.pathname}socket.io` };
}

/** What something of this server is kept under in the browser. Servers below other prefixes of the same host keep theirs beside it. */
export function keptAs(name: string, place = HERE): string {
  return place.pathname === "/" ? name : `${name} ${place.pathname}`;
}
