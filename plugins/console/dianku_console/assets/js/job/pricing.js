// Another price than the list's, for who may: a tap on what a line comes to asks for it, the list's stays to be seen.
import { make } from "../ui.js";
import { t } from "../words.js";
import { amountOf, listed } from "./basket.js";
import { fen, money, plain } from "./exact.js";

/** Whether there is a hand to change prices with; who may not has no field. */
export const mayChange = (on) => Boolean(on.price);

/** What a line comes to, as a button; being changed, as a field for one unit's price (of a label: for all of it). */
export function priced(line, { symbol, on }) {
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
