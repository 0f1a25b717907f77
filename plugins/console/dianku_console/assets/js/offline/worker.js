// The worker: pages of daily jobs open without a connection. `VERSION`, `ASSETS` and `PAGES` are put
// in front of this by the site.
//
// Styles and scripts have their content in their address and are kept; those of the version before
// stay for the pages still open. A job's page is always asked for anew and shown from the phone only
// when nobody answers. Answers of the API are never kept. With a sign-in or a sign-out all pages go.
const KEPT_PAGES = "dianku-pages";
const KEPT_ASSETS = `dianku-assets-${VERSION}`;
const WITHOUT = "/console/offline";
const PATIENCE_MS = 4_000;
let turn = 0;   // whose pages these are: what was asked before a sign-out is not kept after it

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(KEPT_ASSETS);
    await cache.addAll(ASSETS);
    await cache.put(WITHOUT, await fetch(WITHOUT, { credentials: "same-origin", cache: "no-store" }));
    await self.skipWaiting();   // no page depends on which version of this answers it
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("dianku-assets-") && name !== KEPT_ASSETS);
    await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));   // in the order they were made
    await caches.delete(KEPT_PAGES);   // they are of the version before; the next page asks for them anew
    await self.clients.claim();
  })());
});

/** A page that was opened says which others its reader may open: those of daily jobs are there before they are needed. */
self.addEventListener("message", (event) => {
  const mine = turn;
  const wanted = (event.data.pages ?? []).filter((path) => PAGES.includes(path));
  event.waitUntil((async () => {
    const cache = await caches.open(KEPT_PAGES);
    for (const path of wanted) {
      if (mine !== turn || (await cache.match(path))) continue;
      const answer = await fetch(path, { credentials: "same-origin", cache: "no-store" });
      if (answer.ok && !answer.redirected) await keep(new URL(path, self.location), answer, mine);
    }
  })().catch(() => {}));   // without the shop there is nothing to fetch
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (url.pathname === "/api/v1/sessions" || url.pathname.startsWith("/api/v1/sessions/")) {
    if (request.method !== "GET") event.respondWith(changed(request));
    return;
  }
  if (request.method !== "GET") return;
  if (url.pathname.startsWith("/console/assets/")) event.respondWith(asset(request));
  else if (request.mode === "navigate" && url.pathname.startsWith("/console/")) event.respondWith(page(event, url));
});

/** Somebody comes or goes: no page is left, before and after, whatever was on its way. */
async function changed(request) {
  turn += 1;
  await caches.delete(KEPT_PAGES);
  try {
    return await fetch(request);
  } finally {
    turn += 1;
    await caches.delete(KEPT_PAGES);
  }
}

async function asset(request) {
  const there = await caches.match(request);
  if (there) return there;
  const answer = await fetch(request);
  if (answer.ok && request.url.includes(`/assets/${VERSION}/`)) {
    const cache = await caches.open(KEPT_ASSETS);
    await cache.put(request, answer.clone());
  }
  return answer;
}

async function page(event, url) {
  const mine = turn;
  const kept = PAGES.includes(url.pathname);
  const asked = fetch(event.request).then((answer) => {
    // Turned away at the door: whoever this was is not signed in any more.
    if (answer.type === "opaqueredirect" || answer.redirected) { if (kept) event.waitUntil(caches.delete(KEPT_PAGES)); }
    else if (kept && answer.ok && !url.search) event.waitUntil(keep(url, answer.clone(), mine));
    return answer;
  });
  asked.catch(() => {});   // it may fail after the kept one was shown
  event.waitUntil(asked.catch(() => {}));
  const there = kept ? await (await caches.open(KEPT_PAGES)).match(url.pathname) : undefined;
  try {
    return await (there ? Promise.race([asked, late(there)]) : asked);
  } catch {
    return there ?? (await (await caches.open(KEPT_ASSETS)).match(WITHOUT)) ?? Response.error();
  }
}

const late = (there) => new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS, there); });

async function keep(url, answer, mine) {
  const cache = await caches.open(KEPT_PAGES);
  if (mine !== turn) return;
  await cache.put(url.pathname, answer);
  if (mine !== turn) await cache.delete(url.pathname);
}
