// A product's photo: chosen or taken, seen large, changed, taken away.
import { Refused, api } from "../api.js";
import { OF_GOODS, keepPhoto, showPhoto } from "../photo.js";
import { make, toast } from "../ui.js";
import { t } from "../words.js";

export function start(place) {
  const { address, photo, title } = place.dataset;
  const field = place.querySelector("[data-photo-file]");
  field?.addEventListener("change", () => change(field));
  place.querySelector("[data-photo-large]")?.addEventListener("click", (event) => {
    const close = () => document.querySelector("dialog[open]")?.close();
    showPhoto(event.currentTarget.querySelector("img").src, { title, actions: field ? [
      make("button", { type: "button", class: "button", onclick: () => { close(); field.click(); } }, t("console.photos.change")),
      make("button", { type: "button", class: "button quiet", onclick: () => { close(); put(null); } }, t("console.photos.take_away")),
    ] : [] });
  });
  const did = sessionStorage.getItem("dianku.photo.did");
  sessionStorage.removeItem("dianku.photo.did");
  if (did !== null) toast(t(photo ? "console.photos.changed" : "console.photos.taken_away"), { kind: "good", undo: () => put(did || null, { again: false }) });
  place.dataset.ready = "";

  async function change({ files: [file] }) {
    if (!file) return;
    place.setAttribute("aria-busy", "true");
    try {
      await put(await keepPhoto(file, OF_GOODS));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(error.message, { kind: "bad" });
    } finally {
      place.removeAttribute("aria-busy");
      field.value = "";
    }
  }

  async function put(id, { again = true } = {}) {
    try {
      await api("PATCH", `/products/${address}`, { photo: id });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(error.problem.errors?.[0]?.message ?? error.message, { kind: "bad" });
      return;
    }
    if (again) sessionStorage.setItem("dianku.photo.did", photo);
    location.reload();
  }
}
