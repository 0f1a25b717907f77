// A photo from this device: made small here, so that it is sent in a blink also over a bad connection,
// and kept by the shop. Drawing it anew also leaves behind where it was taken.
import { Refused, api } from "./api.js";
import { icon, make, sheet } from "./ui.js";
import { t } from "./words.js";

/** The longer side in pixels: of what shows a product in lists, and of what is looked at closely. */
export const OF_GOODS = 640, CLOSE = 1600;

/** Keep a file of a field as a photo; gives its id, throws `Refused` where it is none or nobody answers. */
export async function keepPhoto(file, side) {
  const form = new FormData();
  form.append("file", await drawn(file, side), "photo.jpg");
  return (await api("POST", "/attachments", form)).body.id;
}

async function drawn(file, side) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Refused(422, { detail: t("console.photos.unreadable") });
  }
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = make("canvas", {
    width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)),
  });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";   // what is see-through becomes paper, not black
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
}

/** Where a kept photo is had. */
export function photoAt(id) {
  return `/api/v1/attachments/${id}`;
}

/** The photo goods are shown with, where their name stands beside it. */
export function thumbnail(id) {
  return make("img", { class: "thumbnail", src: photoAt(id), alt: "" });
}

/** Show a photo large, with what is said of it and what can be done. */
export function showPhoto(src, { title, said = "", actions = [] }) {
  return sheet(make("div", { class: "stack" },
    make("header", {}, make("h2", {}, title), make("button", { type: "button", class: "icon-button", "data-close": true, "aria-label": t("console.photos.close") }, icon("x"))),
    make("img", { class: "photo-large", src, alt: title }),
    said && make("p", { class: "quiet-text" }, said),
    actions.length > 0 && make("div", { class: "row" }, ...actions)));
}
