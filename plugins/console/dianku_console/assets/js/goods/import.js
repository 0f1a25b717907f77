// The import: check the file, show what is wrong where it stands, take it in, undo it.
//
// The file stays with the browser between the check and the taking in, so nothing of it is on the
// server before somebody has seen what it would do.
import { Refused, api, newKey } from "../api.js";
import { showWrong } from "../forms.js";
import { toast } from "../ui.js";
import { t } from "../words.js";
import { Columns } from "./columns.js";

const LOOK_MS = 700;
const chosen = new WeakMap();   // of a form: what its file's columns were said to be

export function start(room) {
  const form = room.querySelector("[data-import]");
  const result = room.querySelector("#goods-import-result");
  if (form) {
    const columns = new Columns(room.querySelector("[data-columns]"), {
      changed: () => { result.replaceChildren(); main(form, false); },
      check: () => run(form, result, { dry: true }),
    });
    chosen.set(form, columns);
    form.addEventListener("change", () => offer(form));
    form.addEventListener("input", () => { result.replaceChildren(); columns.forget(); main(form, true); });
    const file = form.elements.namedItem("file");
    file.addEventListener("change", () => { form.querySelector("[data-file-name]").textContent = file.files[0]?.name ?? ""; });
    form.addEventListener("submit", (event) => { event.preventDefault(); run(form, result, { dry: true }); });
    offer(form);
  }
  result.addEventListener("click", (event) => {
    if (event.target.closest("[data-go]")) run(form, result, { dry: false });
    const undo = event.target.closest("[data-undo]");
    if (undo) takeBack(undo, result);
  });
  const shown = result.querySelector("[data-run]");
  if (shown && !shown.dataset.ended) follow(shown.dataset.run, result);
  room.dataset.ready = "";
}

// One main button: who chose columns goes on by the one below them.
function main(form, is) {
  form.querySelector('[type="submit"]').classList.toggle("main-action", is);
}

// What may be asked of a kind of file.
function offer(form) {
  const kind = form.elements.namedItem("kind").value;
  for (const part of form.querySelectorAll("[data-of]")) {
    const also = form.elements.namedItem(part.dataset.also ?? "");
    part.hidden = !part.dataset.of.split(" ").includes(kind) && !(also && !also.disabled && also.checked);
    for (const field of part.querySelectorAll("input, select")) field.disabled = part.hidden;
  }
}

async function run(form, result, { dry, again = false }) {
  const file = form.elements.namedItem("file").files[0];
  if (!file) { form.elements.namedItem("file").focus(); toast(t("console.goods.choose_file"), { kind: "warn" }); return; }
  const columns = chosen.get(form);
  const button = dry ? form.querySelector('[type="submit"]') : result.querySelector("[data-go]");
  button?.setAttribute("aria-busy", "true");
  form.querySelector("[data-said]").hidden = true;
  const body = new FormData();
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.type === "file") continue;
    if (field.type === "checkbox") { if (field.checked) body.set(field.name, "true"); }
    else if (field.value) body.set(field.name, field.value);
  }
  body.set("dry_run", String(dry));
  if (again) body.set("again", "true");
  for (const [name, value] of Object.entries(columns.said())) body.set(name, value);
  body.set("file", file, file.name);
  try {
    const { body: told } = await api("POST", "/imports", body, { key: newKey() });
    await follow(told.id, result);
    if (dry) columns.show(told.ended_at ? told : (await api("GET", `/imports/${told.id}`)).body, { open: false });
    else columns.forget();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.problem.code === "import_repeated") {
      toast(t("console.goods.repeated"), { kind: "warn", label: t("console.goods.again"), undo: () => run(form, result, { dry, again: true }) });
    } else if (error.problem.columns?.length) {
      showWrong(form, error);
      columns.show(error.problem, { open: true });
    } else showWrong(form, error);
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

// Show a run, and again until it has ended.
async function follow(id, result) {
  for (;;) {
    const answer = await fetch(`/console/goods/import/${encodeURIComponent(id)}`, { headers: { "X-Part": "result" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) { location.reload(); return; }
    result.innerHTML = await answer.text();   // a page of ours, escaped by its template
    const shown = result.querySelector("[data-run]");
    const wrong = result.querySelector(".wrong-cell");
    if (wrong) wrong.closest(".scroll").scrollLeft = wrong.offsetLeft - wrong.closest(".scroll").clientWidth / 3;
    if (!shown || shown.dataset.ended) { shown?.scrollIntoView({ block: "nearest" }); return; }
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

async function takeBack(button, result) {
  const id = button.dataset.undo;
  button.setAttribute("aria-busy", "true");
  try {
    await api("POST", `/imports/${encodeURIComponent(id)}/undo`, {}, { key: newKey() });
    await follow(id, result);
    toast(t("console.goods.import_undone"), { kind: "good" });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const why = (error.problem.errors ?? []).slice(0, 3).map((one) => one.message).join(" ");
    toast(why || error.message, { kind: "bad" });
    button.removeAttribute("aria-busy");
  }
}
