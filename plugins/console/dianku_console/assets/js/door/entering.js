// Asking to be let in: once let in, on to the page that was wanted; after wrong guesses, wait.
import { Refused, api } from "../api.js";
import { showWrong } from "../forms.js";
import { t } from "../words.js";

/** Send `bodyOf()` to `path` when a form is sent; `secret` is its field to be filled in anew. */
export function enter(form, path, secret, bodyOf) {
  const said = form.querySelector("[data-said]");
  const button = form.querySelector('[type="submit"]');

  function wait(seconds) {
    const end = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      button.disabled = left > 0;
      said.hidden = left <= 0;
      said.textContent = t("console.door.wait", { n: left });
      if (left > 0) setTimeout(tick, 500);
    };
    tick();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    try {
      await api("POST", path, bodyOf());
      location.assign(form.dataset.next);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 429 && error.problem.retry_after_seconds) wait(error.problem.retry_after_seconds);
      else showWrong(form, error);
      secret.select();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}
