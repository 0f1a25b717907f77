// Forms that are sent to the API as JSON: `<form data-send="POST /products" data-then="/console/goods">`.
//
// A field's name is its place in the body (`display.unit`), an empty one is left out; `data-type` of
// number, boolean or list says what it becomes. What the API finds wrong is shown beside each field.
import { Refused, api, newKey } from "./api.js";
import { toast } from "./ui.js";
import { t } from "./words.js";

/** The body a form stands for. */
export function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    let value = field.type === "checkbox" ? field.checked : field.value.trim();
    if (field.dataset.type === "list") value = value.split(/[\s,，、]+/).filter(Boolean);
    if (field.dataset.type === "boolean") value = value === "true" || value === true;
    if (value === "" && field.dataset.empty !== "null") continue;
    if (value === "") value = null;
    // What is no number is sent as it was typed: the API says so beside the field.
    if (field.dataset.type === "number" && value !== null && Number.isFinite(Number(value))) value = Number(value);
    const path = field.name.split(".");
    let at = body;
    for (const step of path.slice(0, -1)) at = at[step] ??= {};
    at[path.at(-1)] = value;
  }
  return body;
}

/** Show what is wrong beside the fields it is about; what belongs to none is said at the form's head. */
export function showWrong(form, refused) {
  clearWrong(form);
  const loose = [];
  for (const { pointer, message } of refused.problem.errors ?? []) {
    const name = pointer.slice(1).replaceAll("/", ".");
    const field = form.elements.namedItem(name) ?? form.querySelector(`[data-for="${CSS.escape(name)}"]`);
    const home = (field instanceof RadioNodeList ? field[0] : field)?.closest(".field");
    if (!home) { loose.push(message); continue; }
    const said = document.createElement("p");
    said.className = "wrong";
    said.id = `wrong-${name}`;
    said.textContent = message;
    home.append(said);
    const input = home.querySelector("input, select, textarea");
    input?.setAttribute("aria-invalid", "true");
    input?.setAttribute("aria-describedby", said.id);
  }
  const head = form.querySelector("[data-said]");
  const text = loose.length ? loose.join(" ") : refused.problem.errors?.length ? "" : refused.message;
  if (head && text) { head.textContent = text; head.hidden = false; }
  else if (text) toast(text, { kind: "bad" });
  form.querySelector("[aria-invalid]")?.focus();
}

function clearWrong(form) {
  form.querySelectorAll(".wrong").forEach((node) => node.remove());
  form.querySelectorAll("[aria-invalid]").forEach((node) => node.removeAttribute("aria-invalid"));
  const head = form.querySelector("[data-said]");
  if (head) head.hidden = true;
}

async function send(form, submitter) {
  const [method, path] = form.dataset.send.split(" ");
  const button = submitter ?? form.querySelector('[type="submit"]');
  const key = (form.dataset.key ??= newKey());
  button?.setAttribute("aria-busy", "true");
  try {
    const sending = { body: bodyOf(form) };   // a page's own script may still change it
    form.dispatchEvent(new CustomEvent("dianku:sending", { bubbles: true, detail: sending }));
    const answer = await api(method, path, method === "DELETE" ? undefined : sending.body, { key: method === "POST" ? key : undefined });
    delete form.dataset.key;
    clearWrong(form);
    const heard = new CustomEvent("dianku:sent", { bubbles: true, cancelable: true, detail: answer });
    if (!form.dispatchEvent(heard)) return;
    if (form.dataset.then) location.assign(form.dataset.then.replace(/\{([a-z_]+)\}/g, (_, name) => encodeURIComponent(answer.body[name])));
    else toast(form.dataset.saved || t("console.saved"), { kind: "good" });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (!error.passing) delete form.dataset.key;
    showWrong(form, error);
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.send) return;
  event.preventDefault();
  send(form, event.submitter);
});
