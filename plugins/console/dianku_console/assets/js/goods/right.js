// Set one product's stock right: what was counted goes into the books, and can be taken back.
//
// Nobody is asked "are you sure?" for an ordinary difference: undo is there for ten seconds. Only a
// figure that looks like a slip of the finger is asked about, and confirmed by the same button.
import { Refused, api, newKey } from "../api.js";
import { showWrong } from "../forms.js";
import { toast } from "../ui.js";
import { takeBack } from "../undo.js";
import { t } from "../words.js";

const TIMES = 10;   // a count ten times what the books say is asked about, and a tenth of it
const FEW = 5;      // but nothing so small that ten times it is nothing to speak of

export function start(node) {
  const form = document.querySelector("main [data-right-form] form");
  if (form) listen(form, () => location.assign(form.dataset.back));
  node.dataset.ready = "";
}

/** Listen to a form; `done` is called once the books have changed, and again when that was undone. */
export function listen(form, done) {
  let confirmed = "";
  const keys = new Map();   // one for one thing said: the same figures sent again are the same document
  const button = form.querySelector('[type="submit"]');
  form.addEventListener("input", () => { form.querySelector("[data-ask]").hidden = true; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const lines = linesOf(form);
    if (!lines.length) { form.querySelector('input[name$="counted"]').focus(); return; }
    const asked = JSON.stringify(lines);
    const doubt = unusual(form);
    if (doubt && confirmed !== asked) {
      confirmed = asked;
      const said = form.querySelector("[data-ask]");
      said.textContent = doubt;
      said.hidden = false;
      return;
    }
    button.setAttribute("aria-busy", "true");
    const { sku, store, unit } = form.dataset;
    const note = form.elements.namedItem("note").value.trim() || undefined;
    const body = { kind: "adjustment", store, lines: lines.map((line) => ({ sku, ...line })), note };
    const said = JSON.stringify(body);
    if (!keys.has(said)) keys.set(said, newKey());
    try {
      const { body: posted } = await api("POST", "/documents", body, { key: keys.get(said) });
      keys.delete(said);
      const after = posted.balances.find((one) => one.sku === sku && one.store === store)?.on_hand;
      form.closest("dialog")?.close();
      done();
      toast(t("console.goods.righted", { n: after ?? "", unit }), { kind: "good", undo: () => undo(posted.number, done) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      showWrong(form, error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

async function undo(number, done) {
  if (!await takeBack(number, t("console.goods.undone_reason"))) return;
  done();
  toast(t("console.goods.undone"), { kind: "good" });
}

function linesOf(form) {
  return [...form.querySelectorAll('input[name$=".counted"]')]
    .filter((input) => input.value.trim())
    .map((input) => {
      const line = { counted: input.value.trim().replace("，", ".").replace(",", ".") };
      if (input.dataset.lot) line.lot = input.dataset.lot;
      if (input.dataset.lot && input.dataset.expires) line.expires_on = input.dataset.expires;
      return line;
    });
}

function unusual(form) {
  for (const input of form.querySelectorAll('input[name$=".counted"]')) {
    if (!input.value.trim()) continue;
    const was = Number(input.dataset.was), now = Number(input.value);
    if (!Number.isFinite(now)) continue;
    const much = was >= 1 && now >= was * TIMES && now - was >= FEW;
    const little = was >= FEW && now <= was / TIMES;
    if (much || little) return t("console.goods.unusual", { was: input.dataset.was, now: input.value.trim(), unit: form.dataset.unit });
  }
  return "";
}
