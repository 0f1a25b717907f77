// Labels: shown anew with each choice while the form stays as it is; printed by the browser, or had as a PDF.
import { t } from "../words.js";
import { toast } from "../ui.js";

export function start(form) {
  const shown = document.getElementById("labels-shown");
  let asked;

  async function show() {
    const url = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    asked?.abort();
    asked = new AbortController();
    shown.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { headers: { "X-Part": "shown" }, credentials: "same-origin", signal: asked.signal });
      if (answer.redirected || !answer.ok) { location.assign(url); return; }
      shown.innerHTML = await answer.text();   // a page of ours, escaped by its template
      history.replaceState(null, "", url);
      mark(form, shown);
    } catch (error) {
      if (error.name === "AbortError") return;
      toast(t("console.no_answer"), { kind: "bad" });
    }
    shown.removeAttribute("aria-busy");
  }

  form.addEventListener("change", (event) => {
    if (event.target.name === "add") return;
    if (event.target.matches("[data-each]")) {
      if (!event.target.value.trim()) return;
      for (const field of form.querySelectorAll("[name=copies]")) field.value = event.target.value;
    }
    if (event.target.name === "size") form.querySelector("[data-first]").hidden = !event.target.selectedOptions[0].hasAttribute("data-stickers");
    show();
  });
  form.addEventListener("click", (event) => {
    const drop = event.target.closest("[data-drop]");
    if (drop) {
      drop.closest("li").remove();
      form.requestSubmit();
    }
    // The typed name was the question; what is pressed is the answer, at the end of the list.
    if (event.target.closest("[data-choice]")) form.elements.add.value = "";
  });
  mark(form, shown);
  form.dataset.ready = "";
}

/** Show at each field whether what it says was wrong. */
function mark(form, shown) {
  const wrong = (shown.querySelector("[data-wrong]")?.dataset.wrong ?? "").split(" ");
  invalid(form.elements.namedItem("first"), wrong.includes("first"));
  form.querySelectorAll("[name=copies]").forEach((field, at) => {
    if (invalid(field, wrong.includes(`copies.${at}`) || wrong.includes("copies"))) field.closest("details").open = true;
  });
}

function invalid(field, is) {
  if (is) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  return is;
}
