// What goes on from a document: how many of each line come back, go back or arrive, and one button.
import { Refused } from "../api.js";
import { money, plain, quantity } from "../job/exact.js";
import { takeOver } from "../job/exchange.js";
import { said } from "../job/payments.js";
import { lookUp } from "../offline/catalog.js";
import { onScan } from "../scan/scan.js";
import { complain, sound, toast } from "../ui.js";
import { takeBack } from "../undo.js";
import { t } from "../words.js";
import { deed } from "./deed.js";
import { needsTheShop } from "./needs_shop.js";
import { refundOf } from "./refund.js";

export function start(node) {
  const { job, store, number, channel, symbol } = node.dataset;
  const button = node.querySelector("[data-post]");
  const trade = node.querySelector("[data-trade]");
  const lines = [...node.querySelectorAll("[data-line]")].map((item) => ({
    item, field: item.querySelector(".count"), sku: item.dataset.sku, left: quantity(item.dataset.left),
  }));
  let counting = job !== "arrival";   // an arrival begins whole, until somebody counts it by scanning

  const countOf = (line) => Math.min(line.left, Math.max(0, quantity(line.field.value) ?? 0));
  const chosen = () => lines.filter((line) => countOf(line) > 0);

  function set(line, thousandths) {
    line.field.value = plain(Math.min(line.left, Math.max(0, thousandths)), 3);
    shown();
  }

  function shown() {
    let whole = 0;
    for (const line of lines) {
      const back = job === "customer_return" ? refundOf(line.item.dataset, countOf(line)) : null;
      line.item.querySelector("[data-sum]").textContent = back === null ? "" : money(back, symbol);
      whole += back ?? 0;
    }
    const pieces = lines.reduce((sum, line) => sum + countOf(line), 0);
    node.querySelector("[data-whole]").textContent = job === "customer_return" ? money(whole, symbol) : t("console.job.pieces", { n: plain(pieces, 3) });
    button.disabled = pieces === 0;
    if (trade) trade.disabled = pieces === 0;
    return whole;
  }

  async function take(code) {
    let found;
    try {
      found = await lookUp(code, store);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      found = { matches: [] };
    }
    const match = found.matches.find((one) => lines.some((line) => line.sku === one.sku));
    if (!match) { sound("unknown"); toast(t("console.going_on.not_on_it"), { kind: "warn" }); return true; }
    if (!counting) { counting = true; for (const line of lines) line.field.value = "0"; }
    const one = (match.quantity ? quantity(match.quantity) : 1000) * (match.quantity ? 1 : match.factor ?? 1);
    const line = lines.find((some) => some.sku === match.sku && countOf(some) < some.left);
    if (!line) { sound("warning"); toast(t("console.going_on.no_more"), { kind: "warn" }); return true; }
    set(line, countOf(line) + one);
    for (const some of lines) some.item.classList.toggle("fresh", some === line);
    line.item.scrollIntoView({ block: "nearest" });
    sound("known");
    return true;
  }

  function asked() {
    if (job === "arrival") return { path: `/transfers/${encodeURIComponent(number)}/receive`, body: { lines: chosen().map((line) => ({ line: Number(line.item.dataset.line), quantity: plain(countOf(line), 3) })) } };
    const disposition = node.querySelector("[name=disposition]:checked")?.value;
    const kind = node.querySelector("[name=payment]:checked")?.value;
    const whole = shown();
    return { path: "/documents", body: {
      kind: job, store, of_document: number, channel: job === "customer_return" && channel ? channel : undefined,
      lines: chosen().map((line) => ({ sku: line.sku, quantity: plain(countOf(line), 3), of_line: Number(line.item.dataset.line), disposition })),
      payments: kind && whole > 0 ? said([[kind, whole]]) : undefined,
      note: node.querySelector("[name=note]")?.value.trim() || undefined,
    } };
  }

  async function send() {
    if (button.getAttribute("aria-busy")) return;
    const { path, body } = asked();
    button.setAttribute("aria-busy", "true");
    try {
      const made = await deed(path, body);
      sound("known");
      if (job === "arrival") location.assign(`/console/documents/${encodeURIComponent(number)}`);
      else told(made.number);
    } catch (error) {
      complain(error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  function told(made) {
    const done = node.querySelector("template[data-done]").content.cloneNode(true);
    done.querySelector("[data-new]").href = `/console/documents/${encodeURIComponent(made)}`;
    node.replaceChildren(done);
    const undo = async () => { if (await takeBack(made, t("console.job.undone"))) location.reload(); };
    toast(t(`console.going_on.posted_${job}`, { number: made }), { kind: "good", undo });
  }

  for (const line of lines) {
    line.field.addEventListener("focus", () => line.field.select());
    line.field.addEventListener("change", () => set(line, quantity(line.field.value) ?? 0));
    for (const step of line.item.querySelectorAll("[data-step]")) step.addEventListener("click", () => set(line, countOf(line) + 1000 * Number(step.dataset.step)));
  }
  button.addEventListener("click", send);
  trade?.addEventListener("click", () => {
    const { payments: _, ...body } = asked().body;
    const rows = chosen().map((line) => ({
      name: line.item.querySelector("b").textContent, text: t("console.exchange.pieces", { n: plain(countOf(line), 3), unit: line.item.dataset.unit }),
      amount: refundOf(line.item.dataset, countOf(line)),
    }));
    takeOver(store, { body, rows, total: shown() });
  });
  onScan(take);
  needsTheShop(node);
  shown();
}
