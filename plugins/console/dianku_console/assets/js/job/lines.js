// The lines of a job as they are shown: name, price, a stepper for a thumb, what it comes to.
import { icon, make } from "../ui.js";
import { t } from "../words.js";
import { baseOf } from "./basket.js";
import { plain, quantity } from "./exact.js";
import { beyond, price } from "./pricing.js";

/** Show every line; `kind` says which fields it has, `on` what its buttons do. */
export function show(list, basket, { kind, symbol, on, touched }) {
  list.replaceChildren(...basket.lines.map((line) => item(line, { kind, symbol, on, fresh: line.id === touched })));
}

function item(line, { kind, symbol, on, fresh }) {
  const short = kind.takes && line.available !== null && quantity(line.available) < baseOf(line);
  const under = [line.spec, line.factor > 1 ? t("console.job.pack", { n: line.factor, unit: line.unit }) : null].filter(Boolean).join(" · ");
  const wrong = line.wrong ?? (kind.money ? beyond(line, { on, symbol }) : undefined);
  return make("li", { class: `line${fresh ? " fresh" : ""}${wrong ? " wrong-line" : ""}`, "data-sku": line.sku },
    make("div", { class: "about" }, make("b", {}, line.name),
      // One row that is always there: what is said of the shelf must not move what a finger is about to hit.
      make("span", { class: "under" }, under && make("span", { class: "small-text" }, under),
        short && make("span", { class: "badge warn" }, icon("triangle-alert"), t("console.job.only", { n: line.available }))),
      wrong && make("span", { class: "wrong", role: "alert" }, wrong)),
    kind.money ? price(line, { symbol, on }) : null,
    stepper(line, on),
    on.stays?.(line) ?? null,
    kind.details?.length ? details(line, kind.details, on) : null);
}

function stepper(line, on) {
  if (line.label) return make("span", { class: "stepper" }, make("span", { class: "label-quantity" }, line.label.quantity, " ", line.unit), button("x", t("console.job.remove", { name: line.name }), () => on.remove(line)));
  const field = make("input", { class: "count", inputmode: "decimal", value: line.count, "aria-label": t("console.job.count_of", { name: line.name }) });
  field.addEventListener("focus", () => field.select());
  field.addEventListener("change", () => (quantity(field.value) === null ? on.shown() : on.set(line, { count: plain(quantity(field.value), 3) })));
  const step = (by) => on.set(line, { count: plain(quantity(line.count) + by, 3) });
  return make("span", { class: "stepper" },
    button("minus", t("console.job.less", { name: line.name }), () => (quantity(line.count) <= 1000 ? on.remove(line) : step(-1000))), field,
    button("plus", t("console.job.more", { name: line.name }), () => step(1000)));
}

function details(line, names, on) {
  const fields = names.filter((name) => name !== "lot" || line.tracked).flatMap((name) => (name === "lot" ? ["lot", "expires_on"] : [name]));
  return make("div", { class: "details" }, ...fields.map((name) => {
    const field = make("input", { class: "input", type: name === "expires_on" ? "date" : "text", inputmode: name === "unit_cost" ? "decimal" : undefined, value: line[name] ?? "" });
    field.addEventListener("change", () => on.set(line, { [name]: field.value.trim() || undefined }));
    return make("label", {}, make("span", {}, t(`console.job.${name}`)), field);
  }));
}

function button(name, label, onclick) {
  return make("button", { type: "button", class: "icon-button", "aria-label": label, onclick }, icon(name));
}
