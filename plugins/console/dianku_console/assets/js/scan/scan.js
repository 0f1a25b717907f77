// Scanning, on every page: by gun, by camera, from a photo, or typed into the scan field.
//
// A page that works with scans says `onScan((code, {source}) => true)`; where none takes it, the sheet of
// the code opens. Sources: gun, camera, photo, typed, found (chosen from what was searched).
import { sheet, sound, toast } from "../ui.js";
import { t } from "../words.js";
import { listen, teachGun } from "./gun.js";

const handlers = [];
let shown = null;   // the sheet of the last scan
let turn = 0;

/** Get what is scanned; the last one asked comes first. Gives a function that ends it. */
export function onScan(handler) {
  handlers.push(handler);
  return () => { const at = handlers.lastIndexOf(handler); if (at >= 0) handlers.splice(at, 1); };
}

/** Hand over a code as if scanned. Gives whether a page took it; else its sheet is open. */
export async function scanned(code, { source }) {
  for (const handler of [...handlers].reverse()) {
    if (await handler(code, { source })) { shown?.close(); return true; }
  }
  await show(`/console/scan/${encodeURIComponent(code)}`);
  return false;
}

async function show(address) {
  const mine = ++turn;
  shown?.close();
  let dialog;
  try {
    dialog = await sheet(address);
  } catch {
    document.querySelectorAll("dialog.sheet:not([open])").forEach((node) => node.remove());
    sound("warning");
    toast(t("console.no_answer"), { kind: "bad" });
    return;
  }
  if (mine !== turn) { dialog.close(); return; }   // somebody scanned on meanwhile
  shown = dialog;
  const state = dialog.querySelector("[data-scan-state]")?.dataset.scanState;
  if (state) {
    dialog.classList.add("scanned", state);
    sound(state);
  }
}

/** Something typed: a code as it stands, a word that is some product's code too, else what is called so. */
async function typed(text) {
  const search = `/console/find?q=${encodeURIComponent(text)}`;
  if (/^\d{6,}$/.test(text) || (await isCode(search))) await scanned(text, { source: "typed" });
  else await show(search);
}

async function isCode(search) {
  try {
    const answer = await fetch(search, { headers: { "X-Part": "exact" }, credentials: "same-origin" });
    return answer.ok && !answer.redirected && (await answer.text()).includes("data-exact");
  } catch {
    return true;   // without the server a job may still know it
  }
}

async function openCamera() {
  const { camera } = await import("./camera.js");
  camera({ scanned, typed });
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-find]")) return;
  event.preventDefault();
  const field = event.target.elements.namedItem("q");
  const text = field.value.trim();
  field.value = "";
  if (text) typed(text);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-scan]")) { shown?.close(); openCamera(); return; }
  const link = event.target.closest("a[data-scan-open], a[data-scan-code]");
  if (link && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    if (link.dataset.scanCode) scanned(link.dataset.scanCode, { source: "found" });
    else show(link.getAttribute("href"));
    return;
  }
  const lesson = event.target.closest("[data-gun-code]");
  if (lesson) {
    teachGun({ prefix: lesson.dataset.gunPrefix, suffix: lesson.dataset.gunSuffix });
    scanned(lesson.dataset.gunCode, { source: "gun" });
  }
});

// Only where there is a place to scan into: at the door a gun is a keyboard like any other.
if (document.querySelector("[data-find], [data-scan]")) listen((code) => scanned(code, { source: "gun" }));
