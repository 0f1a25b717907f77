// What a page says besides itself: toasts, sheets, sounds.
import { Refused } from "./api.js";
import { t } from "./words.js";

/** Say something for a while; `undo` adds a button for ten seconds. Kinds: "", good, warn, bad. */
export function toast(text, { kind = "", undo, label, seconds = undo ? 10 : 5 } = {}) {
  const box = document.createElement("div");
  box.className = `toast ${kind}`.trim();
  box.setAttribute("role", kind === "bad" || kind === "warn" ? "alert" : "status");
  const said = document.createElement("span");
  said.textContent = text;
  box.append(said);
  const end = () => box.remove();
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label ?? t("console.undo");
    button.addEventListener("click", () => { end(); undo(); });
    box.append(button);
  }
  document.querySelector(".toasts").append(box);
  setTimeout(end, seconds * 1000);
  return end;
}

/** Say why something was refused; what is no refusal is thrown on. */
export function complain(error) {
  if (!(error instanceof Refused)) throw error;
  sound("warning");
  toast(error.words, { kind: "bad", seconds: 8 });
}

/** Open a sheet with what a page's part shows, or with nodes; gives the dialog. */
export async function sheet(content, { part = "sheet" } = {}) {
  const dialog = document.createElement("dialog");
  dialog.className = "sheet";
  const inside = document.createElement("div");
  inside.className = "inside";
  dialog.append(inside);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  if (typeof content === "string") {
    const answer = await fetch(content, { headers: { "X-Part": part }, credentials: "same-origin" });
    if (answer.redirected) { location.assign(answer.url); return dialog; }
    inside.innerHTML = await answer.text();   // a page of ours, escaped by its template
  } else {
    inside.append(content);
  }
  inside.querySelector("h2")?.setAttribute("id", "sheet-title");
  if (inside.querySelector("h2")) dialog.setAttribute("aria-labelledby", "sheet-title");
  dialog.showModal();
  window.htmx?.process(inside);
  document.dispatchEvent(new CustomEvent("dianku:shown", { detail: inside }));
  return dialog;
}

const NOTES = { known: [[1320, 0.07]], unknown: [[220, 0.12], [180, 0.2]], warning: [[660, 0.09], [660, 0.09]] };
let audio;

/** One sound for known, one for unknown, one for a warning; the phone shakes for the last two. */
export function sound(name) {
  if (!navigator.userActivation?.hasBeenActive) return;   // a browser lets a page be loud only after a touch
  navigator.vibrate?.(name === "known" ? 30 : [60, 60, 60]);
  if (localStorage.getItem("dianku.quiet") === "1") return;
  try {
    audio ??= new AudioContext();
    let at = audio.currentTime;
    for (const [pitch, length] of NOTES[name]) {
      const tone = audio.createOscillator(), volume = audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.15, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + length);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + length);
      at += length + 0.04;
    }
  } catch { /* a browser that plays nothing still shows the colour */ }
}

/** Make an element with attributes and children; text is text, never markup. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An icon of the set. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${new URL("../vendor/icons.svg", import.meta.url).pathname}#${name}`);
  svg.append(use);
  return svg;
}
