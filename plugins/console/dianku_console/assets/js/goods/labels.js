// Labels: shown anew with each choice, printed by the browser.
export function start(form) {
  form.addEventListener("change", (event) => { if (event.target.name !== "add") form.requestSubmit(); });
  form.dataset.ready = "";
}
