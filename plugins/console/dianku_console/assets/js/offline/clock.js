// How far this device's clock can be believed. The shop corrects the time of a deed by the time of its
// sending, which is right while both are of the same clock. A clock that was set in between, by a network
// that came back or an empty battery, would put a sale years ago or into the future, and have it refused:
// so what is sent says when it was sent by the clock it was kept by, and where nobody can know that, the
// deed is of the moment it arrives.
const NAME = "dianku.clock";
const JUMP_MS = 120_000;   // what a clock drifts by is none of this
const FRESH_MS = 1_800_000;

/** The shop said what time it is: remember how far behind this clock is. */
export function heard(shop) {
  if (Number.isFinite(shop) && shop > 0) note({ behind: shop - Date.now(), seen: Date.now() });
}

/** Whether the shop was heard by this clock lately. */
export function known() {
  const last = read();
  return last !== null && Math.abs(Date.now() - last.seen) < FRESH_MS;
}

/** What to remember of the clock with what is kept now. `unsure`: it was set back since it was last looked at. */
export function atKeeping() {
  const last = read();
  const unsure = last !== null && Date.now() < last.seen - JUMP_MS;
  if (last && !unsure) note({ ...last, seen: Date.now() });
  return { behind: last?.behind ?? null, unsure };
}

/** When an entry is being sent, by the clock it was kept by: never before the deed itself. */
export function sentAt({ body, clock }, now = Date.now()) {
  const deed = Date.parse(body.occurred_at);
  if (!Number.isFinite(deed)) return now;
  if (clock?.unsure) return deed;
  const set = (read()?.behind ?? 0) - (clock?.behind ?? read()?.behind ?? 0);
  return Math.max(deed, Math.abs(set) > JUMP_MS ? now + set : now);
}

function read() {
  try { return JSON.parse(localStorage.getItem(NAME)); } catch { return null; }
}

function note(values) {
  try { localStorage.setItem(NAME, JSON.stringify(values)); } catch { /* a phone that is full */ }
}
