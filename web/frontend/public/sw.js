// Keeps the page itself (document and hashed assets), so that it opens without a network and can say that it is offline.
// Prices are never kept: /api/ and /socket.io/ are left to the network.
const CACHE = "tickercast-page";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && ["/", "/embed", "/tape"].includes(url.pathname)) event.respondWith(navigate(request, url.pathname));
  else if (url.pathname.startsWith("/assets/") || url.pathname === "/icon.svg") event.respondWith(asset(request));
});

// The newest document where there is a network; the kept one where there is none.
async function navigate(request, path) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      const html = await answer.clone().text();
      await cache.put(path, new Response(withoutPrices(html), answer));
      await forget(cache, html);
    }
    return answer;
  } catch (error) {
    const kept = await cache.match(path);
    if (kept) return kept;
    throw error;
  }
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
  if (!script || (await cache.match(`/${script}`))) return;
  for (const request of await cache.keys()) if (new URL(request.url).pathname.startsWith("/assets/")) await cache.delete(request);
}
