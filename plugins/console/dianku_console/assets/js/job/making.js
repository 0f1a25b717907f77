// Made in the shop: what goes in, beside what is there of it, told by the shop itself while the lines
// are still being changed; and the same the other way round, where goods are taken apart again.
import { Refused, api } from "../api.js";
import { icon, make } from "../ui.js";
import { t } from "../words.js";
import { baseOf } from "./basket.js";
import { plain, quantity } from "./exact.js";

const PAUSE_MS = 250;

/** Show below the lines what they use or give. `body` makes the document as it would be posted. */
export function making(node, { basket, body, today }) {
  const known = new Map();
  let timer = 0, asking = null;

  async function look() {
    asking?.abort();
    const mine = asking = new AbortController();
    if (!basket.lines.length) { show([]); return; }
    try {
      const parts = await needed(body(), mine.signal);
      await name(parts.map((part) => part.sku), mine.signal);
      if (!mine.signal.aborted) show(parts);
    } catch (error) {
      if (error.name === "AbortError") return;
      // What is wrong with a line is said when it is posted; nobody there to ask: nothing to show.
      if (!(error instanceof Refused)) throw error;
      show([]);
    }
  }

  /** All that leaves or, taken apart, comes back beside the goods on the lines: `{sku, moved, there, short}`. */
  async function needed(document, signal) {
    const own = new Set(basket.lines.map((line) => line.sku));
    try {
      const { body: told } = await api("POST", "/documents/check", document, { signal });
      const after = new Map(told.balances.map((one) => [one.sku, quantity(one.available)]));
      return told.movements.filter((one) => !own.has(one.sku)).map(({ sku, quantity: moved }) => ({
        sku, moved: quantity(moved), there: after.get(sku) - quantity(moved), short: false,
      }));
    } catch (error) {
      if (!error.problem?.needed) throw error;
      const short = new Set(error.problem.short.map((one) => one.sku));
      return error.problem.needed.filter((one) => !own.has(one.sku)).map((one) => ({
        sku: one.sku, moved: -quantity(one.requested), there: quantity(one.available), short: short.has(one.sku),
      }));
    }
  }

  async function name(skus, signal) {
    const unknown = skus.filter((sku) => !known.has(sku)).slice(0, 100);
    if (!unknown.length) return;
    const query = unknown.map((sku) => `sku=${encodeURIComponent(sku)}`).join("&");
    const { body: page } = await api("GET", `/products?limit=100&${query}`, undefined, { signal });
    for (const product of page.items) known.set(product.sku, product);
  }

  function show(parts) {
    const apart = basket.head.way === "apart";
    node.hidden = parts.length === 0;
    node.querySelector("h2").textContent = t(apart ? "console.making.comes_out" : "console.making.goes_in");
    node.querySelector("ul").replaceChildren(...parts.map((part) => row(part, known.get(part.sku))));
  }

  return {
    shown() { clearTimeout(timer); timer = setTimeout(look, PAUSE_MS); },
    /** The lines as they go to the shop: fresh goods are of today, goods taken apart are a difference downwards. */
    lines: (inOrder, lines) => inOrder.map((line, at) => {
      if (basket.head.way === "apart") return { sku: line.sku, delta: plain(-baseOf(line), 3), lot: line.lot };
      const { unit_cost, reason, ...made } = lines[at];
      const fresh = line.tracked && !line.expires_on && !line.made_on;
      return { ...made, made_on: fresh ? today : undefined };
    }),
  };
}

function row({ sku, moved, there, short }, product) {
  const unit = product?.unit ?? "";
  const amount = (steps) => make("span", { class: "figure" }, plain(Math.abs(steps), 3), make("span", { class: "unit" }, ` ${unit}`));
  return make("li", { class: short ? "short" : "", "data-part": sku },
    make("b", {}, product?.name ?? sku), amount(moved),
    make("span", { class: "small-text" }, t("console.making.there", { n: plain(there, 3), unit })),
    short && make("span", { class: "badge warn" }, icon("triangle-alert"), t("console.making.missing", { n: plain(-moved - there, 3), unit })));
}
