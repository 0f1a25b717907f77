// Another price than the list's: a tap on what a line comes to asks for it, the list's stays to be seen. Who may
// change prices takes any, whoever sells what the goods' own bounds admit.
import { make } from "../ui.js";
import { t } from "../words.js";
import { amountOf, listed } from "./basket.js";
import { fen, money, plain, quantity, times } from "./exact.js";

/** Whether there is a hand to change a line's price with; who may not has no field. */
const mayChange = (line, on) => Boolean(on.price && (on.anyPrice || line.bounds));

/** What is said of a line whose price is not within its bounds; undefined where it is, or any may be taken. */
export function beyond(line, { on, symbol }) {
  const taken = fen(line.changed ?? line.open);
  if (on.anyPrice || !line.bounds || taken === null) return undefined;
  const { least, most } = ends(line);
  if (taken >= (least ?? 0) && taken <= (most ?? taken)) return undefined;
  return t("console.open_price.beyond", { bounds: worded({ least, most }, symbol) });
}

/** Whether goods whose price is the seller's to say have none yet. */
export const unsaid = (line) => Boolean(line.bounds) && amountOf(line) === null;

/** The bounds in hundredths, of what is typed: one unit's price, of a label what it comes to. */
function ends(line) {
  const [least, most] = [line.bounds.min, line.bounds.max].map((bound) => {
    const price = bound === null ? null : fen(bound);
    return price !== null && line.label ? times(quantity(line.label.quantity), price) : price;
  });
  return { least, most };
}

function worded({ least, most }, symbol) {
  if (least === null) return t("console.open_price.up_to", { max: money(most, symbol) });
  if (most === null) return t("console.open_price.from", { min: money(least, symbol) });
  return `${money(least, symbol)} – ${money(most, symbol)}`;
}

/** What a line comes to: to be read, to be tapped for another price, or as a field where the goods have none. */
export function price(line, { symbol, on }) {
  const shown = make("span", { class: "amount" }, money(amountOf(line), symbol));
  if ((line.price ?? null) === null && !line.label?.amount) return asked(line, { symbol, on, shown });
  return mayChange(line, on) ? priced(line, { symbol, on }) : shown;
}

function asked(line, { symbol, on, shown }) {
  const field = make("input", { class: "input open-amount", inputmode: "decimal", autocomplete: "off", value: line.open ?? "", "aria-label": t("console.job.price_of", { name: line.name }), placeholder: t("console.job.price") });
  field.addEventListener("change", () => on.set(line, { open: (fen(field.value) ?? -1) >= 0 && field.value.trim() ? field.value.trim() : undefined }));
  const bounds = line.bounds && line.open === undefined ? make("span", { class: "small-text" }, worded(ends(line), symbol)) : null;
  return make("span", { class: "open-price" }, field, line.open === undefined ? bounds : shown);
}

/** What a line comes to, as a button; being changed, as a field for one unit's price (of a label: for all of it). */
function priced(line, { symbol, on }) {
  const list = listed(line);
  if (on.pricing === line.id) return field(line, on);
  const button = make("button", { type: "button", class: "amount change-price", "aria-label": t("console.till.change_price", { name: line.name, sum: money(amountOf(line), symbol) }), onclick: () => on.price(line) }, money(amountOf(line), symbol));
  return line.changed === undefined ? button : make("span", { class: "changed-price" }, make("s", {}, money(list, symbol)), button);
}

function field(line, on) {
  const now = line.changed ?? (line.label ? line.label.amount ?? plain(amountOf(line), 2, { fixed: true }) : line.price);
  const input = make("input", { class: "input open-amount", inputmode: "decimal", autocomplete: "off", value: now, "data-new-price": true, "aria-label": t(line.label ? "console.till.new_amount" : "console.till.new_price", { name: line.name }) });
  const done = () => {
    if (on.pricing !== line.id) return;
    on.pricing = null;
    const typed = fen(input.value);
    // The list's own price typed again is no other price.
    const other = typed !== null && typed >= 0 && typed !== fen(line.label ? plain(listed(line), 2) : line.price);
    on.set(line, { changed: other ? plain(typed, 2, { fixed: true }) : undefined });
  };
  input.addEventListener("focus", () => input.select());
  // Later, as a scan that draws the lines anew takes the field out while it has the focus.
  input.addEventListener("blur", () => setTimeout(done));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") done();
    if (event.key === "Escape") { on.pricing = null; on.shown(); }
  });
  return input;
}
