// Photos beside a document: seen large, one more added.
import { Refused, api } from "../api.js";
import { CLOSE, keepPhoto, showPhoto } from "../photo.js";
import { toast } from "../ui.js";

/** Show a kept photo with a document; the same one twice changes nothing, so it may be sent again. */
export function attach(number, id) {
  return api("POST", `/documents/${encodeURIComponent(number)}/attachments`, { attachment: id });
}

export function start(place) {
  place.addEventListener("click", (event) => {
    const one = event.target.closest("[data-large]");
    if (one) showPhoto(one.dataset.large, { title: place.dataset.title, said: one.dataset.said });
  });
  const field = place.querySelector("[data-photo-file]");
  field?.addEventListener("change", async () => {
    place.setAttribute("aria-busy", "true");
    try {
      for (const file of field.files) await attach(place.dataset.number, await keepPhoto(file, CLOSE));
      location.reload();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(error.problem.errors?.[0]?.message ?? error.message, { kind: "bad" });
      place.removeAttribute("aria-busy");
    }
    field.value = "";
  });
  place.dataset.ready = "";
}
