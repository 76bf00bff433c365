// Keeps the page itself (document and hashed assets), so that it opens without a network and can say that it is offline.
// Prices are never kept: api/ and socket.io/ are left to the network.
//
// The page lies where this file lies, below any prefix. Another relay below another prefix of the same host has a worker and a cache of its own.
const PLACE = new URL("./", self.location).pathname;
const CACHE = `tickercast-page ${PLACE}`;
const DOCUMENTS = ["", "embed", "tape"].map((name) => PLACE + name);
/** A network that takes longer for a document, where one is kept, may be one that answers nothing at all. */
const PATIENCE_MS = 3000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(begin()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && DOCUMENTS.includes(url.pathname)) navigate(event, url.pathname);
  else if (url.pathname.startsWith(`${PLACE}assets/`) || url.pathname === `${PLACE}icon.svg`) event.respondWith(asset(request));
});

async function begin() {
  await caches.delete("tickercast-page"); // of versions that knew of no prefix
  await self.clients.claim();
}

// The newest document where there is a network; the kept one where there is none, or one that only seems to be there.
function navigate(event, path) {
  const answer = fetch(event.request);
  event.waitUntil(answer.then((fresh) => keep(path, fresh.clone())).catch(() => undefined)); // one that comes late is kept for the next time
  event.respondWith(firstOf(answer, path));
}

async function firstOf(answer, path) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  if (!kept) return answer;
  const patience = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([answer.then((fresh) => (isProxys(fresh.status) ? kept : fresh), () => kept), patience]);
}

// The proxy before the relay answers, the relay does not. The kept page says so, and comes back by itself.
function isProxys(status) {
  return status === 502 || status === 503 || status === 504;
}

async function keep(path, answer) {
  if (!answer.ok) return;
  const html = await answer.text();
  const cache = await caches.open(CACHE);
  await cache.put(path, new Response(withoutPrices(html), answer));
  await forget(cache, html);
}

// The document brings the first rows along: they are of that moment.
function withoutPrices(html) {
  return html.replace(/(<script type="application\/json" id="first-rows">)[^<]*/, "$1");
}

// A hashed file never changes: the kept one is as good as any.
async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

// Another build has another main script: what belonged to the one before is thrown away.
async function forget(cache, html) {
  const script = /assets\/[\w-]+\.js/.exec(html)?.[0];
  if (!script || (await cache.match(PLACE + script))) return;
  for (const request of await cache.keys()) if (new URL(request.url).pathname.startsWith(`${PLACE}assets/`)) await cache.delete(request);
}
