// What every page has: forms, what a person chose (store, language, face), pages' own modules.
import "./forms.js";
import "./offline/indicator.js";
import "./scan/scan.js";
import { practising } from "./device.js";
import { toast } from "./ui.js";
import { t } from "./words.js";

const YEAR = 31536000;
function remember(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
}

document.addEventListener("change", (event) => {
  const { choose } = event.target.dataset ?? {};
  if (!choose) return;
  // The stores of practice are not those of the shop: which one was chosen there is forgotten with it.
  remember(practising && choose === "store" ? "dianku_practice_store" : `dianku_${choose}`, event.target.value);
  const here = new URL(location.href);
  here.searchParams.delete(choose);
  location.assign(here);
});

document.addEventListener("click", (event) => {
  const closing = event.target.closest("[data-close]");
  if (closing) closing.closest("dialog")?.close();
  if (event.target.closest("[data-print]")) window.print();   // the browser knows the printer
});

document.addEventListener("dianku:signed-out", () => {
  const next = encodeURIComponent(location.pathname + location.search);
  toast(t("console.signed_out"), { kind: "warn", undo: () => location.assign(`/console/sign-in?next=${next}`), label: t("console.sign_in") });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select, [contenteditable]")) return;
  const find = [...document.querySelectorAll("[data-scan-field], .find input")].find((node) => node.checkVisibility());
  if (find) { event.preventDefault(); find.focus(); find.select(); }
});

try {
  await Promise.all([...document.querySelectorAll("[data-module]")].map(async (node) => (await import(node.dataset.module)).start?.(node)));
} finally {
  // Every listener is there, or will never be: what was pressed before goes on, and a test need not guess.
  document.documentElement.dataset.ready = "";
  dispatchEvent(new Event("dianku:ready"));
}
