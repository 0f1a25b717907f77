// A short tour: a few real places of the first page, one after the other, with a sentence each. It begins by itself
// once, for who has just opened a shop, and again for whoever asks for it; ended or skipped, it is over for that person.
import { named } from "../device.js";
import { make } from "../ui.js";
import { t } from "../words.js";

const onHome = (name) => `#cards > [data-card='console.${name}']`;
const PLACES = {   // the first that is there
  scan: [".foot [data-scan]", ".bar .find"],
  sell: [".doing a[href='/console/sell']"],
  receive: [".doing a[href='/console/receive']"],
  today: [onHome("exceptions"), onHome("running-out"), onHome("expiring"), "#cards > section"],
  more: [".foot a[href='/console/more']", ".rail a[href='/console/more']"],
};
const EDGE = 16;     // pixels from the card to the screen's edges, and to what it points at
const AROUND = 6;    // from what is pointed at to the ring
const LINE = 3;      // how thick the ring is
const TALLEST = 0.4; // how much of the screen a ring is high at most: a long card is pointed at by its head
const nameOf = (person) => named(`dianku.tour.${person}`);

/** Somebody is to be shown around when they come to the first page. */
export const due = (person) => localStorage.setItem(nameOf(person), "due");

export function start(node) {
  const kept = nameOf(document.querySelector('meta[name="person"]').content);
  const here = new URL(location.href);
  const asked = here.searchParams.has("tour");
  if (asked) { here.searchParams.delete("tour"); history.replaceState(null, "", here); }
  if (!asked && localStorage.getItem(kept) !== "due") return;
  const steps = Object.keys(PLACES).filter(place);
  if (steps.length) show(steps, { practice: node.dataset.practice === "yes", ended: () => localStorage.setItem(kept, "ended") });
}

/** Where a step points to: the first of its places that is on this screen and this person's page. */
function place(step) {
  return PLACES[step].map((one) => document.querySelector(one)).find((one) => one?.checkVisibility());
}

function show(steps, { practice, ended }) {
  let at = 0, open = true;
  const scrolled = [document.scrollingElement, document.querySelector(".rail nav")].map((one) => [one, one.scrollTop]);
  const ring = make("div", { class: "tour-ring" });
  const count = make("p", { class: "small-text" }), title = make("h2", { id: "tour-title" }), text = make("p", { id: "tour-text" });
  const back = make("button", { type: "button", class: "button", onclick: () => go(at - 1) }, t("console.tour.back"));
  const next = make("button", { type: "button", class: "button main-action", onclick: () => (at + 1 < steps.length ? go(at + 1) : dialog.close()) });
  const skip = make("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, t("console.tour.skip"));
  // What changes is read out; the focus stays on the button that goes on.
  const card = make("div", { class: "tour-card" }, make("div", { class: "said", "aria-live": "polite" }, count, title, text),
    make("div", { class: "row apart" }, skip, make("div", { class: "row" }, back, next)));
  const dialog = make("dialog", { class: "tour", "aria-labelledby": "tour-title", "aria-describedby": "tour-text" }, ring, card);

  function go(to) {
    at = to;
    const step = steps[at];
    count.textContent = t("console.tour.at", { n: at + 1, of: steps.length });
    title.textContent = t(`console.tour.${step}`);
    text.textContent = t(`console.tour.${step}_text${step === "more" && !practice ? "_only" : ""}`);
    next.textContent = t(at + 1 < steps.length ? "console.tour.next" : "console.tour.done");
    back.hidden = at === 0;
    skip.hidden = at + 1 === steps.length;
    next.focus();
    const node = place(step);
    if (node?.closest("main")) uncovered(node);
    else node?.scrollIntoView({ block: "nearest" });
  }

  dialog.addEventListener("close", () => {
    open = false;
    dialog.remove();
    for (const [one, top] of scrolled) one.scrollTop = top;
    ended();
  });
  document.body.append(dialog);
  dialog.showModal();
  go(0);
  // The page goes on behind: its cards are drawn anew, the phone is turned. The ring stays on what it means.
  const follow = () => { if (open) { point(place(steps[at]), { ring, card }); requestAnimationFrame(follow); } };
  follow();
}

/** Bring what is meant under the bar, where it is not in sight already. */
function uncovered(node) {
  const { top, bottom } = node.getBoundingClientRect();
  const from = document.querySelector(".bar").getBoundingClientRect().bottom;
  if (top < from || Math.min(bottom, top + innerHeight * TALLEST) > innerHeight) node.scrollIntoView({ block: "start" });
}

/** Lay the ring around what is meant, and the card where it does not hide that. */
function point(node, { ring, card }) {
  const [wide, high] = [document.documentElement.clientWidth, innerHeight];
  const meant = node ? around(node, wide, high) : { left: wide / 2, right: wide / 2, top: 0, bottom: 0 };
  lay(ring, { left: meant.left, top: meant.top, width: meant.right - meant.left, height: meant.bottom - meant.top });
  const { offsetWidth: width, offsetHeight: height } = card;
  const below = meant.bottom + EDGE, above = meant.top - EDGE - height;
  const top = below + height + EDGE <= high ? below : above >= EDGE ? above : high - height - EDGE;
  lay(card, { left: Math.max(EDGE, Math.min((meant.left + meant.right - width) / 2, wide - width - EDGE)), top });
}

/** What a node takes of the screen, with what of it sticks out; the ring's own line stays on the screen. */
function around(node, wide, high) {
  const boxes = [node, ...node.children].map((one) => one.getBoundingClientRect()).filter((box) => box.width > 0);
  const least = (side) => Math.max(LINE, Math.min(...boxes.map((box) => box[side])) - AROUND);
  const most = (side, end) => Math.min(end - LINE, Math.max(...boxes.map((box) => box[side])) + AROUND);
  const top = least("top");
  return { left: least("left"), right: most("right", wide), top, bottom: Math.min(most("bottom", high), top + high * TALLEST) };
}

function lay(node, where) {
  for (const [name, value] of Object.entries(where)) {
    const pixels = `${Math.round(value)}px`;
    if (node.style.getPropertyValue(name) !== pixels) node.style.setProperty(name, pixels);
  }
}
