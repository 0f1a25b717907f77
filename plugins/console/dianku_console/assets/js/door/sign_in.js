// Signing in with a password, which the link of a demonstration fills in.
import { bodyOf } from "../forms.js";
import { enter } from "./entering.js";

export function start(form) {
  const { name, password } = form.elements;
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has("name")) {
    name.value = given.get("name");
    password.value = given.get("password") ?? "";
    // The address with a password in it is not kept where the next person looks.
    history.replaceState(null, "", location.pathname + location.search);
    form.querySelector('[type="submit"]').focus();
  }
  enter(form, "/sessions", password, () => ({ ...bodyOf(form), device: navigator.userAgent.slice(0, 300) }));
}
