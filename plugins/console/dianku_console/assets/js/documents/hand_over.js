// Goods that were promised are picked up, all or a part, or are wanted no more. Either can be taken back for ten
// seconds: what was promised is then promised again, for as long as it would have been.
import { Refused, api, newKey } from "../api.js";
import { onScan } from "../scan/scan.js";
import { complain, sound, toast } from "../ui.js";
import { takeBack } from "../undo.js";
import { t } from "../words.js";
import { counting, gone, meant } from "./counted.js";
import { deed } from "./deed.js";

export function start(node) {
  onScan((code) => { location.assign(`/console/hand-over?code=${encodeURIComponent(code)}`); return true; });
  counting(node);
  node.addEventListener("click", (event) => {
    const order = event.target.closest("[data-order]");
    if (event.target.closest("[data-commit]")) settle(order, "commit");
    else if (event.target.closest("[data-release]")) settle(order, "release");
  });
}

async function settle(order, name) {
  const button = order.querySelector(`[data-${name}]`);
  if (order.getAttribute("aria-busy")) return;
  const { lines, whole } = name === "commit" ? meant(order) : { lines: everything(order), whole: true };
  if (!lines.length) { sound("warning"); toast(t("console.hand_over.nothing"), { kind: "warn" }); return; }
  order.setAttribute("aria-busy", "true");
  button.setAttribute("aria-busy", "true");
  const id = order.dataset.order;
  const body = whole ? {} : { lines: lines.map(({ line, quantity }) => ({ line, quantity })) };
  try {
    const made = await deed(`/reservations/${encodeURIComponent(id)}/${name}`, body);
    sound("known");
    if (whole) order.remove();
    else gone(order);
    const undo = async () => {
      if (name === "commit" && !(await takeBack(made.number, t("console.job.undone")))) return;
      await promiseAgain(order, lines);
    };
    toast(t(`console.hand_over.done_${whole ? name : "part"}`, { number: made.number ?? "" }), { kind: "good", undo });
  } catch (error) {
    if (error.problem?.code === "reservation_ended") order.remove();   // somebody else was quicker
    complain(error);
  } finally {
    order.removeAttribute("aria-busy");
    button.removeAttribute("aria-busy");
  }
}

const everything = (order) => [...order.querySelectorAll("[data-line]")].map(({ dataset }) => ({ sku: dataset.sku, quantity: dataset.left }));

async function promiseAgain(order, lines) {
  const { kind, store, channel, reference, until, due } = order.dataset;
  const left = until ? Math.max(60, Math.round((Date.parse(until) - Date.now()) / 1000)) : undefined;
  const body = { kind, store, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })), channel: channel || undefined, reference: reference || undefined, expires_in: kind === "hold" ? left : undefined, due_on: due || undefined };
  try {
    await api("POST", "/reservations", body, { key: newKey() });
    location.reload();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(`${t("console.hand_over.not_again")} ${error.message}`, { kind: "bad", seconds: 8 });
  }
}
