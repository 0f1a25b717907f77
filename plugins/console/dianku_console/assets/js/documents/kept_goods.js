// Goods that were paid for and left in the shop: handed over, all or a part, or left there. Either is undone by the other.
import { Refused, api, newKey } from "../api.js";
import { onScan } from "../scan/scan.js";
import { sound, toast } from "../ui.js";
import { t } from "../words.js";
import { counting, gone, meant } from "./counted.js";

const OTHER = { hand_over: "keep", keep: "hand_over" };
const keys = new Map();   // pressed again after no answer, it is the same deed

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
  const deed = button.dataset.deed, { number } = card.dataset;
  const lines = meant(card).lines.map(({ line, quantity }) => ({ line, quantity }));
  if (!lines.length) { sound("warning"); toast(t("console.kept_goods.nothing"), { kind: "warn" }); return; }
  const note = card.querySelector("[name=note]")?.value.trim();
  const body = note ? { lines, note } : { lines };
  const said = `${deed} ${number} ${JSON.stringify(body)}`;
  const key = keys.get(said) ?? newKey();
  keys.set(said, key);
  card.setAttribute("aria-busy", "true");
  button.setAttribute("aria-busy", "true");
  try {
    await post(deed, number, body, key);
    keys.delete(said);   // as much once more is another deed
    sound("known");
    gone(card);
    toast(t(`console.kept_goods.done_${deed}`, { number }), { kind: "good", undo: () => undo(deed, number, lines) });
  } catch (error) {
    told(error);
  } finally {
    card.removeAttribute("aria-busy");
    button.removeAttribute("aria-busy");
  }
}

async function undo(deed, number, lines) {
  try {
    await post(OTHER[deed], number, { lines }, newKey());
    location.reload();
  } catch (error) {
    told(error);
  }
}

const post = (deed, number, body, key) => api("POST", `/documents/${encodeURIComponent(number)}/${deed}`, body, { key });

function told(error) {
  if (!(error instanceof Refused)) throw error;
  sound("warning");
  toast((error.problem.errors ?? []).map((one) => one.message).join(" ") || error.message, { kind: "bad", seconds: 8 });
}
