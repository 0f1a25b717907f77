// Goods that were paid for and left in the shop: handed over, all or a part, or left there. Either is undone by the other.
import { onScan } from "../scan/scan.js";
import { complain, sound, toast } from "../ui.js";
import { t } from "../words.js";
import { counting, gone, meant } from "./counted.js";
import { deed } from "./deed.js";

const OTHER = { hand_over: "keep", keep: "hand_over" };

export function start(node) {
  onScan((code) => { location.assign(`/console/kept-goods?code=${encodeURIComponent(code)}`); return true; });
  counting(node);
  node.addEventListener("click", (event) => {
    const button = event.target.closest("[data-deed]");
    if (button) settle(button.closest("[data-card]"), button);
  });
}

async function settle(card, button) {
  if (card.getAttribute("aria-busy")) return;
  const name = button.dataset.deed, { number } = card.dataset;
  const lines = meant(card).lines.map(({ line, quantity }) => ({ line, quantity }));
  if (!lines.length) { sound("warning"); toast(t("console.kept_goods.nothing"), { kind: "warn" }); return; }
  const note = card.querySelector("[name=note]")?.value.trim();
  const body = note ? { lines, note } : { lines };
  card.setAttribute("aria-busy", "true");
  button.setAttribute("aria-busy", "true");
  try {
    await post(name, number, body);
    sound("known");
    gone(card);
    toast(t(`console.kept_goods.done_${name}`, { number }), { kind: "good", undo: () => undo(name, number, lines) });
  } catch (error) {
    complain(error);
  } finally {
    card.removeAttribute("aria-busy");
    button.removeAttribute("aria-busy");
  }
}

async function undo(name, number, lines) {
  try {
    await post(OTHER[name], number, { lines });
    location.reload();
  } catch (error) {
    complain(error);
  }
}

const post = (name, number, body) => deed(`/documents/${encodeURIComponent(number)}/${name}`, body);

