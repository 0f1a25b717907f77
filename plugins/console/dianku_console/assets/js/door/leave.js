// Signing out. Whoever keeps something on this device hears `dianku:signing-out` first: it may say
// no (what waits to be sent would be lost), or have `detail.waitFor(promise)` while it cleans up.
import { Refused, api } from "../api.js";
import { toast } from "../ui.js";

/** End the session and go to the door; false when somebody said no. */
export async function signOut() {
  const waits = [];
  const heard = new CustomEvent("dianku:signing-out", { cancelable: true, detail: { waitFor: (one) => waits.push(one) } });
  if (!document.dispatchEvent(heard)) return false;
  await Promise.allSettled(waits);
  try {
    await api("DELETE", "/sessions");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status !== 401) { toast(error.message, { kind: "bad" }); return false; }
  }
  sessionStorage.clear();
  location.assign("/console/sign-in");
  return true;
}

export function start(button) {
  button.addEventListener("click", () => signOut());
}
