// The form of a product: rows of barcodes and components, and what is particular to this store.
//
// A gun ends a code with Enter, which must not send a form that is half filled: it goes on to the
// next field instead.
import { Refused, api, newKey } from "../api.js";
import { bodyOf, showWrong } from "../forms.js";

export function start(form) {
  for (const rows of form.querySelectorAll("[data-rows]")) keepRows(form, rows);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    event.preventDefault();
    if (event.target.matches("[data-scan-into]")) nextAfterScan(form, event.target);
    else form.requestSubmit();
  });
  const composition = form.elements.namedItem("composition");
  composition.addEventListener("change", () => {
    const composed = composition.value !== "none";
    const part = form.querySelector("[data-composed]");
    part.hidden = !composed;
    if (composed && !part.querySelector("[data-row]")) part.querySelector("[data-add]").click();
  });
  form.addEventListener("input", (event) => { if (event.target.matches("[data-product]")) suggest(event.target); });
  form.addEventListener("submit", (event) => { event.preventDefault(); save(form); });
  const name = form.elements.namedItem("name");
  const code = form.querySelector("[data-scan-into]");
  if (!form.dataset.address) (code?.value ? name : code)?.focus();
  form.dataset.ready = "";
}

function keepRows(form, rows) {
  const kind = rows.dataset.rows;
  const sample = form.querySelector(`template[data-row-of="${kind}"]`);
  form.querySelector(`[data-add="${kind}"]`).addEventListener("click", () => {
    rows.querySelector(".single")?.classList.remove("single");   // now it matters which pack is which
    rows.append(sample.content.cloneNode(true));
    renumber(rows);
    rows.lastElementChild.querySelector("input").focus();
  });
  rows.addEventListener("click", (event) => {
    const drop = event.target.closest("[data-drop]");
    if (!drop) return;
    drop.closest("[data-row]").remove();
    renumber(rows);
    form.querySelector(`[data-add="${kind}"]`).focus();
  });
}

// A row's place in the body is its place on the page.
function renumber(rows) {
  [...rows.querySelectorAll("[data-row]")].forEach((row, at) => {
    for (const node of row.querySelectorAll("[name], label")) {
      for (const name of ["name", "id", "for"]) {
        const value = node.getAttribute(name);
        if (value) node.setAttribute(name, value.replace(/\.(\d+|#)\./, `.${at}.`));
      }
    }
  });
}

function nextAfterScan(form, input) {
  const name = form.elements.namedItem("name");
  if (!name.value) { name.focus(); return; }
  if (input.value) form.querySelector('[data-add="barcodes"]').click();
}

let looking;
async function suggest(input) {
  looking?.abort();
  looking = new AbortController();
  const asked = input.value.trim();
  const hint = input.closest(".field").querySelector(".hint");
  hint.textContent = "";
  if (!asked) return;
  try {
    const { body } = await api("GET", `/products?limit=8&q=${encodeURIComponent(asked)}`, undefined, { signal: looking.signal });
    const list = document.getElementById("goods-found");
    list.replaceChildren(...body.items.map((one) => {
      const option = document.createElement("option");
      option.value = one.sku;
      option.label = [one.name, one.spec].filter(Boolean).join(" ");
      return option;
    }));
    hint.textContent = body.items.find((one) => one.sku === asked)?.name ?? "";
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof Refused)) throw error;
  }
}

/** What the form stands for: the product, and what is particular to it in this store. */
function read(form) {
  const { here = {}, display, ...product } = bodyOf(form);
  for (const rows of form.querySelectorAll("[data-rows]")) {
    const kind = rows.dataset.rows;
    const found = Object.values(product[kind] ?? {});
    product[kind] = kind === "barcodes" ? found.filter((one) => one.code) : found.filter((one) => one.sku);
  }
  if (Object.values(product.open_price ?? {}).every((bound) => bound === null)) product.open_price = null;
  if (product.composition === "none") product.components = [];
  if (display?.unit) product.display = display;
  else if (form.dataset.address) product.display = null;
  if (!form.dataset.address && !product.sku && product.barcodes.length) product.sku = product.barcodes[0].code;
  return { product, here };
}

async function save(form) {
  const button = form.querySelector('[type="submit"]');
  const { product, here } = read(form);
  const key = (form.dataset.key ??= newKey());
  button.setAttribute("aria-busy", "true");
  try {
    let address = form.dataset.address;
    if (address) await api("PATCH", `/products/${address}`, product);
    else {
      const { body } = await api("POST", "/products", product, { key });
      address = encodeURIComponent(body.sku);
      // From here on it is there: what is wrong with this store's lines must not make it anew.
      form.dataset.address = address;
    }
    if (form.dataset.store && Object.keys(here).length) await setHere(form, address, here);
    location.assign(`/console/goods/${address}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (!error.passing) delete form.dataset.key;
    showWrong(form, error);
    openWrong(form);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function setHere(form, address, here) {
  try {
    await api("PUT", `/products/${address}/stores/${encodeURIComponent(form.dataset.store)}`, here);
  } catch (error) {
    for (const one of error.problem?.errors ?? []) one.pointer = `/here${one.pointer}`;
    throw error;
  }
}

function openWrong(form) {
  for (const wrong of form.querySelectorAll(".wrong")) {
    const fold = wrong.closest("details");
    if (fold) fold.open = true;
  }
  form.querySelector("[aria-invalid]")?.focus();
}
