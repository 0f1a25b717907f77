// A scanner gun is a keyboard that types faster than anybody and ends with Enter or Tab.
//
// Keys are only listened to. What turns out to have been a gun is taken back out of the field it fell
// into, and its Enter reaches nobody; what a person types is never touched. Times are those of the
// keys themselves, so a busy page does not make a gun look slow.
const GAP_MS = 120;       // between the first signs
const HICCUP_MS = 400;    // once it is plainly a gun: half a code must never be taken for a whole one
const MEAN_MS = 50;       // twenty signs a second: no person keeps that up
const LEAST = 4;          // shorter codes are typed
const SILENT_LEAST = 8;   // of a gun that sends no Enter
const SILENCE_MS = 450;
const SEPARATOR = "\u001d";
const GUN = "dianku.gun";
const PASSIVE = new Set(["Shift", "Control", "Alt", "AltGraph", "CapsLock", "NumLock", "Meta"]);
const HUMAN = new Set(["Backspace", "Delete", "Escape", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

/** What this device's gun sends before and after a code: `{prefix, suffix}`. */
export function gunHabits() {
  try { return JSON.parse(localStorage.getItem(GUN)) ?? {}; } catch { return {}; }
}

/** Remember what is to be left out in front of and behind a code. */
export function teachGun({ prefix = "", suffix = "" }) {
  localStorage.setItem(GUN, JSON.stringify({ prefix, suffix }));
}

function withoutHabits(text) {
  const { prefix, suffix } = gunHabits();
  if (prefix && text.length > prefix.length && text.startsWith(prefix)) text = text.slice(prefix.length);
  if (suffix && text.length > suffix.length && text.endsWith(suffix)) text = text.slice(0, -suffix.length);
  return text;
}

/** The sign a key stands for; empty for one that is none. GS1's separator comes as Ctrl+]. */
function signOf(event) {
  if (event.key === SEPARATOR || (event.ctrlKey && event.code === "BracketRight")) return SEPARATOR;
  if ((event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph")) return "";
  if (event.key.length === 1) return event.key.normalize("NFKC");
  if (event.key !== "Process" && event.key !== "Unidentified") return "";
  // An input method has swallowed the key: its place on the keyboard is still known.
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit && !event.shiftKey) return digit[1];
  const letter = /^Key([A-Z])$/.exec(event.code);
  if (letter) return event.shiftKey ? letter[1] : letter[1].toLowerCase();
  return { Minus: event.shiftKey ? "_" : "-", Period: ".", Slash: "/" }[event.code] ?? "";
}

function writable(node) {
  return Boolean(node?.matches?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=file], [type=range]), textarea, [contenteditable]"));
}

/** How to put a field back to what it holds now. */
function keep(node) {
  if (node?.matches?.("select")) {
    const at = node.selectedIndex;
    return () => { if (node.selectedIndex !== at) { node.selectedIndex = at; node.dispatchEvent(new Event("change", { bubbles: true })); } };
  }
  if (!writable(node) || !("value" in node)) return () => {};
  const { value, selectionStart: start, selectionEnd: end } = node;
  return () => {
    if (node.value === value) return;
    node.value = value;
    try { node.setSelectionRange(start, end); } catch { /* a field of numbers has no cursor to set */ }
    node.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
}

/** Call `take(code)` for everything a gun scans, on whatever page and field. */
export function listen(take) {
  let burst = null;
  let tookAt = -Infinity;
  let silence = 0;
  let numpad = "";

  const quick = (least) => burst !== null && burst.text.length >= least
    && (burst.last - burst.first) / (burst.text.length - 1) <= MEAN_MS;

  const patience = () => (quick(3) ? HICCUP_MS : GAP_MS);

  function add(sign, at) {
    burst ??= { text: "", first: at, last: at, field: document.activeElement, restore: keep(document.activeElement) };
    burst.text += sign;
    burst.last = at;
    clearTimeout(silence);
    silence = setTimeout(() => { if (quick(SILENT_LEAST) && !writable(burst.field)) finish(); }, SILENCE_MS);
  }

  function finish() {
    const { text, last, field, restore } = burst;
    burst = null;
    tookAt = last;
    clearTimeout(silence);
    const code = withoutHabits(text);
    if (field?.matches?.("[data-takes-scan]")) {
      // This field wants the code itself; the form around it is not sent by the gun's Enter.
      if (code !== text) field.value = field.value.replace(text, code);
      field.dispatchEvent(new Event("change", { bubbles: true }));
      return;
    }
    restore();
    take(code);
  }

  function heard(event) {
    if (PASSIVE.has(event.key) && !event.repeat) return;
    const at = event.timeStamp;
    if (event.key === "Enter" || event.key === "Tab") {
      const ours = quick(LEAST) && at - burst.last <= patience();
      // Some guns end with two keys: the second must not press what the first one opened.
      if (!ours && at - tookAt > 2 * GAP_MS) { burst = null; return; }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (ours) finish();
      else burst = null;
      tookAt = at;
      return;
    }
    if (event.altKey && /^Numpad\d$/.test(event.code)) { numpad += event.code.at(-1); return; }
    if (event.repeat || HUMAN.has(event.key)) { burst = null; return; }
    const sign = signOf(event);
    if (!sign) return;
    if (burst !== null && at - burst.last > patience()) burst = null;
    const going = burst !== null && burst.text.length > 1 && at - burst.last <= MEAN_MS;
    add(sign, at);
    // Nobody writes here: the rest of the code must press no shortcut and choose nothing in a list.
    if (sign === SEPARATOR || (going && !writable(document.activeElement))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  // Alt with 0, 2, 9 on the number block is how guns on Windows spell the separator.
  function released(event) {
    if (event.key !== "Alt") return;
    if (burst !== null && Number(numpad) === 29) add(SEPARATOR, event.timeStamp);
    numpad = "";
  }

  window.addEventListener("keydown", heard, { capture: true });
  window.addEventListener("keyup", released, { capture: true });
}
