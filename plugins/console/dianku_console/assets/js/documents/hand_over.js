// Goods that were promised are picked up, or are wanted no more. Either can be taken back for ten seconds:
// what was promised is then promised again, for as long as it would have been.
import { Refused, api, newKey } from "../api.js";
import { onScan } from "../scan/scan.js";
import { sound, toast } from "../ui.js";
import { takeBack } from "../undo.js";
import { t } from "../words.js";

const keys = new Map();   // pressed again after no answer, it is the same deed

export function start(node) {
  onScan((code) => { location.assign(`/console/hand-over?code=${encodeURIComponent(code)}`); return true; });
  node.addEventListener("click", (event) => {
    const order = event.target.closest("[data-order]");
    if (event.target.closest("[data-commit]")) settle(order, "commit");
    else if (event.target.closest("[data-release]")) settle(order, "release");
  });
}

async function settle(order, deed) {
  const button = order.querySelector(`[data-${deed}]`);
  if (order.getAttribute("aria-busy")) return;
  order.setAttribute("aria-busy", "true");
  button.setAttribute("aria-busy", "true");
  const id = order.dataset.order;
  const key = keys.get(`${deed} ${id}`) ?? newKey();
  keys.set(`${deed} ${id}`, key);
  try {
    const { body } = await api("POST", `/reservations/${encodeURIComponent(id)}/${deed}`, {}, { key });
    sound("known");
    order.remove();
    const undo = async () => {
      if (deed === "commit" && !(await takeBack(body.number, t("console.job.undone")))) return;
      await promiseAgain(order);
    };
    toast(t(`console.hand_over.done_${deed}`, { number: body.number ?? "" }), { kind: "good", undo });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    sound("warning");
    if (error.problem.code === "reservation_ended") order.remove();   // somebody else was quicker
    toast(error.message, { kind: "bad", seconds: 8 });
  } finally {
    order.removeAttribute("aria-busy");
    button.removeAttribute("aria-busy");
  }
}

async function promiseAgain(order) {
  const { kind, store, channel, reference, until, due } = order.dataset;
  const lines = [...order.querySelectorAll("[data-sku]")].map((one) => ({ sku: one.dataset.sku, quantity: one.dataset.quantity }));
  const left = until ? Math.max(60, Math.round((Date.parse(until) - Date.now()) / 1000)) : undefined;
  const body = { kind, store, lines, channel: channel || undefined, reference: reference || undefined, expires_in: kind === "hold" ? left : undefined, due_on: due || undefined };
  try {
    await api("POST", "/reservations", body, { key: newKey() });
    location.reload();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(`${t("console.hand_over.not_again")} ${error.message}`, { kind: "bad", seconds: 8 });
  }
}
