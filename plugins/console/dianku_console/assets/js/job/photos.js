// Photos of what is written off: taken before the button, kept by the shop at once, shown with the
// document once it is there. They never hold the document up.
import { Refused } from "../api.js";
import { attach } from "../documents/photos.js";
import { CLOSE, keepPhoto, photoAt } from "../photo.js";
import { icon, make, toast } from "../ui.js";
import { t } from "../words.js";

/** `basket.head.photos` are their ids. Gives `shown`, which draws them anew, and `end` for a document that was sent. */
export function photos(place, { basket }) {
  const field = place.querySelector("[data-photo-file]"), list = place.querySelector("[data-photo-list]");
  let drawn = null;

  field.addEventListener("change", async () => {
    const files = [...field.files];
    place.setAttribute("aria-busy", "true");
    try {
      for (const file of files) basket.setHead({ photos: [...new Set([...ids(basket), await keepPhoto(file, CLOSE)])] });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(error.passing ? t("console.photos.no_connection") : error.message, { kind: "warn", seconds: 8 });
    } finally {
      place.removeAttribute("aria-busy");
      field.value = "";
    }
  });

  function shown() {
    const now = ids(basket).join();
    if (now === drawn) return;
    drawn = now;
    list.replaceChildren(...ids(basket).map((id, n) => make("li", {},
      make("img", { src: photoAt(id), alt: t("console.photos.nth", { n: n + 1 }) }),
      make("button", { type: "button", class: "icon-button", "aria-label": t("console.photos.leave_out", { n: n + 1 }), onclick: () => basket.setHead({ photos: ids(basket).filter((one) => one !== id) }) }, icon("x")))));
  }

  /** The document is there, as `number`, or (null) waits on this device for a connection. */
  async function end(number, { head }) {
    const left = head.photos ?? [];
    if (!left.length) return;
    if (number === null) { toast(t("console.photos.waits"), { kind: "warn", seconds: 10 }); return; }
    try {
      for (const id of left) await attach(number, id);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(t("console.photos.not_added"), { kind: "warn", undo: () => end(number, { head }), label: t("console.photos.again") });
    }
  }

  return { shown, end };
}

function ids(basket) {
  return basket.head.photos ?? [];
}
