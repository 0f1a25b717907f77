// Closing the day: the drawer is counted, and what it is off by is said at once.
import { fen, money } from "./job/exact.js";
import { t } from "./words.js";

export function start(node) {
  node.querySelector("[name=day]").addEventListener("change", (event) => event.target.form.requestSubmit());
  const counted = node.querySelector("#counted");
  if (!counted) return;
  const began = node.querySelector("#began"), said = node.querySelector("[data-difference]");
  const { cash, symbol } = node.dataset;

  function shown() {
    const there = fen(counted.value), before = fen(began.value) ?? 0;
    said.hidden = there === null || !counted.value.trim();
    if (said.hidden) return;
    const off = there - before - fen(cash);
    said.className = `difference ${off === 0 ? "good" : "warn"}`;
    said.textContent = off === 0 ? t("console.day_close.right") : t(off > 0 ? "console.day_close.over" : "console.day_close.short", { sum: money(Math.abs(off), symbol) });
  }

  counted.addEventListener("input", shown);
  began.addEventListener("input", shown);
}
