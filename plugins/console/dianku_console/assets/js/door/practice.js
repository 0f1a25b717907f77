// Into practice and out of it. The address is one of sign-ins, so the worker forgets the pages it kept.
import { Refused, api } from "../api.js";
import { forgetPractice } from "../device.js";
import { toast } from "../ui.js";

async function go(button, method, then) {
  button.setAttribute("aria-busy", "true");
  try {
    await api(method, "/sessions/practice");
  } catch (error) {
    // Gone already: the next page leads back by itself.
    if (!(error instanceof Refused) || error.problem.code !== "practice_ended") {
      button.removeAttribute("aria-busy");
      toast(error.message, { kind: "bad" });
      return;
    }
  }
  sessionStorage.clear();
  await forgetPractice();
  location.assign(then);
}

export function start(node) {
  const button = node.matches("button") ? node : node.querySelector("button");
  const leaving = node.hasAttribute("data-practising");
  button.addEventListener("click", () => go(button, leaving ? "DELETE" : "POST", leaving ? "/console/more" : "/console/"));
}
