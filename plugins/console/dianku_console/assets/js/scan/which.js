// Which goods a code means: one, several to choose of, or none.
import { Refused } from "../api.js";
import { lookUp } from "../offline/catalog.js";
import { thumbnail } from "../photo.js";
import { make, sheet, sound, toast } from "../ui.js";
import { t } from "../words.js";

/**
 * Call `then(match, several)` with the goods of a code in a store, chosen by the person where there are several.
 * Gives false where there are none, whose sheet offers to add them; why nothing could be asked is said here.
 */
export async function which(code, store, then) {
  let found;
  try {
    found = await lookUp(code, store);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    sound("unknown");
    toast(error.message, { kind: "bad" });
    return true;
  }
  if (found.matches.length > 1) choose(found.matches, then);
  else if (found.matches.length === 1) await then(found.matches[0], false);
  return found.matches.length > 0;
}

function choose(matches, then) {
  const list = make("ul", { class: "links" }, ...matches.map((match) => make("li", {}, make("button", {
    type: "button", class: "button wide", onclick: (event) => { event.target.closest("dialog").close(); then(match, true); },
  }, match.photo && thumbnail(match.photo), match.spec ? `${match.name} ${match.spec}` : match.name))));
  sound("warning");
  sheet(make("div", { class: "stack" }, make("h2", {}, t("console.job.which")), list));
}
