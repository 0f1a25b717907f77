// Signing in on a shared device: one's name, then one's PIN.
import { bodyOf } from "../forms.js";
import { enter } from "./entering.js";

export function start(form) {
  const { pin } = form.elements;
  form.addEventListener("change", (event) => { if (event.target.type === "radio") { pin.value = ""; pin.focus(); } });
  enter(form, "/sessions/pin", pin, () => bodyOf(form));
}
