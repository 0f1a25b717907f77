// What cannot be undone is asked about: `<form data-confirm="the question" data-do="the word on the button">`.
import { make, sheet } from "../ui.js";
import { t } from "../words.js";

export function start(box) {
  box.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.confirm || form.dataset.sure) return;
    event.preventDefault();
    event.stopPropagation();
    ask(form);
  }, true);
}

async function ask(form) {
  const sure = make("button", { class: "button danger", type: "button" }, form.dataset.do);
  const not = make("button", { class: "button", type: "button" }, t("console.admin.keep"));
  const dialog = await sheet(make("div", { class: "stack" }, make("h2", {}, form.dataset.confirm), make("div", { class: "row" }, sure, not)));
  not.addEventListener("click", () => dialog.close());
  sure.addEventListener("click", () => {
    dialog.close();
    form.dataset.sure = "1";
    form.requestSubmit();
    delete form.dataset.sure;
  });
}
