// The list of goods follows what is typed; the address follows the list, so back and reload keep it.
import { t } from "../words.js";
import { toast } from "../ui.js";

const WAIT_MS = 150;

export function start(form) {
  const rows = document.getElementById("goods-rows");
  let asked, waiting, shown = address(form);

  async function show() {
    const url = address(form);
    if (url === shown) return;
    shown = url;
    asked?.abort();
    asked = new AbortController();
    rows.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { headers: { "X-Part": "rows" }, credentials: "same-origin", signal: asked.signal });
      if (answer.redirected || !answer.ok) { location.assign(url); return; }
      rows.innerHTML = await answer.text();   // a page of ours, escaped by its template
      history.replaceState(null, "", url);
      const labels = rows.querySelector("[data-labels]");
      if (labels) form.querySelector("a[data-labels]").href = labels.dataset.labels;
    } catch (error) {
      if (error.name === "AbortError") return;
      shown = "";
      toast(t("console.no_answer"), { kind: "bad" });
    }
    rows.removeAttribute("aria-busy");
  }

  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, WAIT_MS); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); show(); });
  form.dataset.ready = "";
}

function address(form) {
  const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim()));
  return asked.size ? `/console/goods?${asked}` : "/console/goods";
}
