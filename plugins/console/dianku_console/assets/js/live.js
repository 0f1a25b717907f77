// A part of a page that is fetched anew when something of its kind happened in the shop.
//
// `data-part` is the block of the page, `data-events` the types of events that change it, none for who may not
// hear of them. The event stream tells; where it cannot be had, the part is fetched every half minute while it
// is looked at. A busy shop is shown anew every few seconds at most, and only the page in sight listens: browsers
// allow few connections to one server.
const SOON_MS = 800, BETWEEN_MS = 4_000, OTHERWISE_MS = 30_000;

export function start(node) {
  let waiting, fallback, stream, last = 0;
  const refresh = async () => {
    waiting = undefined;
    last = Date.now();
    if (document.hidden || node.contains(document.activeElement)) return;
    const answer = await fetch(location.href, { headers: { "X-Part": node.dataset.part }, credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const text = await answer.text();
    if (text === node.dataset.shown) return;
    node.dataset.shown = text;
    node.innerHTML = text;   // a page of ours, escaped by its template
    window.htmx?.process(node);
    document.dispatchEvent(new CustomEvent("dianku:shown", { detail: node }));
  };
  const soon = () => { waiting ??= setTimeout(refresh, Math.max(SOON_MS, last + BETWEEN_MS - Date.now())); };
  const types = node.dataset.events.split(" ").filter(Boolean);
  const close = () => { stream?.close(); stream = undefined; clearInterval(fallback); fallback = undefined; };
  const listen = () => {
    close();
    if (!types.length) { fallback = setInterval(refresh, OTHERWISE_MS); return; }   // who may not hear them
    stream = new EventSource(`/api/v1/events/stream?${types.map((type) => `type=${type}`).join("&")}`);
    for (const type of types) stream.addEventListener(type, soon);
    stream.onopen = () => { node.dataset.live = ""; clearInterval(fallback); fallback = undefined; };
    stream.onerror = () => { delete node.dataset.live; fallback ??= setInterval(refresh, OTHERWISE_MS); };
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else { listen(); soon(); } });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  listen();
}
