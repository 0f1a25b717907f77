// Goods that wait, as lines of a card: all of them, or as many of each as a person says.
import { plain, quantity } from "../job/exact.js";

const linesOf = (card) => [...card.querySelectorAll("[data-line]")];
const leftOf = (line) => quantity(line.dataset.left);
const countOf = (line) => Math.min(leftOf(line), Math.max(0, quantity(line.querySelector(".count").value) ?? 0));

/** Let counts be changed in all cards of a page, and a card say that only a part is meant. */
export function counting(node) {
  node.addEventListener("click", (event) => {
    const part = event.target.closest("[data-in-part]");
    if (part) begin(part);
    const step = event.target.closest("[data-step]");
    if (step) set(step.closest("[data-line]"), 1000 * Number(step.dataset.step));
  });
  node.addEventListener("change", (event) => { if (event.target.matches(".count")) set(event.target.closest("[data-line]"), 0); });
  node.addEventListener("focusin", (event) => { if (event.target.matches(".count")) event.target.select(); });
}

function begin(button) {
  const card = button.closest("[data-card]");
  card.classList.add("in-part");
  button.hidden = true;
  card.querySelector(".count").focus();
}

function set(line, more) {
  const field = line.querySelector(".count");
  field.value = plain(Math.min(leftOf(line), Math.max(0, countOf(line) + more)), 3);
}

/** What of a card is meant: `[{line, sku, quantity}]`, quantities as text; `whole` says that it is all there is. */
export function meant(card) {
  const some = linesOf(card).filter((line) => countOf(line) > 0);
  const lines = some.map((line) => ({ line: Number(line.dataset.line), sku: line.dataset.sku, quantity: plain(countOf(line), 3) }));
  return { lines, whole: linesOf(card).every((line) => countOf(line) === leftOf(line)) };
}

/** What was meant is gone: show what is left of the card, or take it away. */
export function gone(card) {
  for (const line of linesOf(card)) {
    const left = leftOf(line) - countOf(line);
    if (left <= 0) { line.remove(); continue; }
    line.dataset.left = line.querySelector(".count").value = line.querySelector("[data-figure]").textContent = plain(left, 3);
  }
  card.classList.remove("in-part");
  const part = card.querySelector("[data-in-part]");
  if (part) part.hidden = false;
  if (!linesOf(card).length) card.remove();
}
