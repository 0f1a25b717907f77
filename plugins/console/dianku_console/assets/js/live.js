// A part of a page that is fetched anew when something of its kind happened in the shop.
//
// `data-part` is the block of the page, `data-events` the types of events that change it. The event
// stream tells; where it cannot be had, the part is fetched every half minute while it is looked at.
const SOON_MS = 800, OTHERWISE_MS = 30_000;

export function start(node) {
  let waiting, fallback;
  const refresh = async () => {
    waiting = undefined;
    if (document.hidden || node.contains(document.activeElement)) return;
    const answer = await fetch(location.href, { headers: { "X-Part": node.dataset.part }, credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const text = await answer.text();
    if (text === node.dataset.shown) return;
    node.dataset.shown = text;
    node.innerHTML = text;   // a page of ours, escaped by its template
    document.dispatchEvent(new CustomEvent("dianku:shown", { detail: node }));
  };
  const soon = () => { waiting ??= setTimeout(refresh, SOON_MS); };
  const types = node.dataset.events.split(" ");
  const stream = new EventSource(`/api/v1/events/stream?${types.map((type) => `type=${type}`).join("&")}`);
  for (const type of types) stream.addEventListener(type, soon);
  stream.onopen = () => { clearInterval(fallback); fallback = undefined; };
  stream.onerror = () => { fallback ??= setInterval(refresh, OTHERWISE_MS); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  addEventListener("pagehide", () => stream.close());
}
