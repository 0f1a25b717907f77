// Who is signed in: as the page was made, and as the server says now. A page may be older than the
// session, being kept on the device, so whoever sends asks again.
import { heard } from "./clock.js";

const PATIENCE_MS = 10_000;

/** The person and secret this page was made for; `person` is empty at the door. */
export function ofPage(from = document) {
  const said = (name) => from.querySelector(`meta[name="${name}"]`)?.content ?? "";
  return { person: said("person"), csrf: said("csrf") };
}

/** The person the server knows now; null when nobody answers, `person` empty when nobody is signed in. */
export async function ofNow() {
  let answer;
  try {
    answer = await fetch("/console/kept", {
      headers: { "X-Part": "session" }, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.redirected || answer.status === 401) return { person: "", csrf: "" };
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    heard(Number(page.querySelector("meta[name=now]")?.content));
    return ofPage(page);
  } catch {
    return null;
  }
}
