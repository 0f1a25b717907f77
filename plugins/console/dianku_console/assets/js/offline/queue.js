// Documents on their way to the shop. Each is kept on the device before it is sent, under a key that
// it keeps for ever, and is taken out only when the shop has answered: nothing is lost, nothing twice.
//
// A document belongs to who made it. Somebody else who signs in on the phone does not send it; it
// waits for its person, or goes out in the other's name when that one says so (`adopt`).
import { Refused, newKey } from "../api.js";
import { named } from "../device.js";
import { t } from "../words.js";
import { atKeeping, known } from "./clock.js";
import { groups, passes, sendMany, sendOne, wrongSecret } from "./sending.js";
import { ofNow, ofPage } from "./session.js";
import * as store from "./store.js";

export { outcome } from "./store.js";

const QUEUE = named("dianku.queue");
const PAUSES_MS = [2_000, 5_000, 15_000, 30_000];
const heard = new BroadcastChannel(named("dianku.kept"));
let failures = 0;
let timer = 0;
let working = null;
let asked = false;   // somebody wants it sent while it is being tried

/** Without a secure connection a browser has no locks: then only the key sees that nothing is twice. */
function alone(name, work, options = {}) {
  return navigator.locks ? navigator.locks.request(name, options, work) : work({ name });
}

const lockOf = (key) => `dianku.kept.${key}`;

/**
 * Post a document, or keep it where the shop cannot be reached.
 *
 * Gives `{state: "posted", answer, key}` or `{state: "kept", key}`; throws `Refused` with what the shop said.
 * `address` is below /api/v1. `list` names the list of an address that takes entries with keys (counts:
 * `{address: "/stocktakes/7/counts", list: "entries"}`). `label` is what a person reads of it. A caller
 * that gives a `key` can ask `outcome(key)` later, should the page end before the answer.
 */
export async function post(body, { address = "/documents", list, label = "", key = newKey() } = {}) {
  const now = new Date();
  const entry = {
    key, address, list, label, body: { occurred_at: now.toISOString(), ...body },
    who: ofPage().person, at: now.getTime(), state: "waiting", tries: 0, problem: null, clock: atKeeping(),
  };
  return alone(lockOf(key), async () => {
    try {
      await store.keep(entry);
    } catch {
      // A browser that keeps nothing, full or private: what the shop does not answer stays on the page.
      return { state: "posted", answer: await unkept(entry), key };
    }
    navigator.storage?.persist?.();
    if (navigator.onLine === false) return held(entry);
    entry.tries += 1;
    await store.keep(entry);
    try {
      const answer = await sendFresh(entry);
      await store.settle(key, answer?.number);
      failures = 0;
      tell();
      return { state: "posted", answer, key };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (passes(error)) return held(entry);
      await store.drop(key);
      throw error;
    }
  });
}

/** Send what the phone has no room for; who hears that it did not arrive must also hear that it is nowhere else. */
async function unkept(entry) {
  try {
    return await sendFresh(entry);
  } catch (error) {
    if (!(error instanceof Refused) || !passes(error)) throw error;
    throw new Refused(error.status, { ...error.problem, detail: t("console.offline.no_room") });
  }
}

function held(entry) {
  tell();
  later();
  return { state: "kept", key: entry.key };
}

/** Send with the page's own secret, and again with today's if the page is of an older session of the same person. */
async function sendFresh(entry) {
  const page = ofPage();
  try {
    return await sendOne(entry, page.csrf);
  } catch (error) {
    if (!(error instanceof Refused) || !wrongSecret(error)) throw error;
    const now = await ofNow();
    if (!now?.csrf || now.person !== entry.who) throw error;
    return sendOne(entry, now.csrf);
  }
}

/** Everything on the device, the oldest first: `{key, label, body, who, at, state, tries, problem}`. States: waiting, refused, given_up. */
export function kept() {
  return store.all();
}

/** Send what waits. Gives how many the shop took; 0 also when another tab is sending. */
export function sendNow() {
  clearTimeout(timer);
  timer = 0;
  asked = working !== null;
  working ??= alone(QUEUE, (lock) => (lock ? drain() : 0), { ifAvailable: true }).finally(() => { working = null; });
  return working;
}

async function drain() {
  const waiting = (await free()).length;
  if (!waiting) { tell(); return 0; }
  const now = navigator.onLine === false ? null : await ofNow();
  let taken = 0;
  let stuck = now === null;
  if (now?.person) {
    const mine = (await free()).filter((entry) => entry.who === now.person);
    for (const group of groups(mine)) {
      const some = await deliver(group, now.csrf);
      if (some === null) { stuck = true; break; }
      taken += some;
    }
  }
  failures = stuck && !asked ? failures + 1 : 0;
  tell();
  if (stuck) later();
  return taken;
}

/** What waits and is in nobody's hands. Read twice around the locks: who posts has the lock before the entry. */
async function free() {
  const first = (await store.all()).filter((entry) => entry.state === "waiting");
  const state = await navigator.locks?.query();
  const busy = new Set((state?.held ?? []).map((lock) => lock.name));
  const there = new Set(first.map((entry) => entry.key));
  return (await store.all()).filter((entry) => entry.state === "waiting" && there.has(entry.key) && !busy.has(lockOf(entry.key)));
}

/** Send a group and note what became of each; gives how many were taken, null when the shop cannot be had now. */
async function deliver(group, csrf) {
  const mine = [];
  for (const { key } of group) {
    const claimed = await store.change(key, (entry) => entry.state === "waiting", (entry) => ({ tries: entry.tries + 1 }));
    if (claimed) mine.push(claimed);
  }
  if (!mine.length) return 0;
  let results;
  try {
    results = await sendMany(mine, csrf);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (passes(error)) return null;
    if (mine.length === 1) { await refuse(mine[0].key, error.status, error.problem); return 0; }
    return oneByOne(mine, csrf);
  }
  let taken = 0;
  let busy = false;
  for (const { key, status, number, problem } of results) {
    if (status !== "refused") { await store.settle(key, number); taken += 1; continue; }
    const refused = new Refused(problem?.status ?? 409, problem);
    if (passes(refused)) busy = true;
    else await refuse(key, refused.status, problem);
  }
  tell();
  return busy ? null : taken;
}

/** The batch as a whole was turned away because of one: the others must not wait for it. */
async function oneByOne(entries, csrf) {
  let taken = 0;
  for (const entry of entries) {
    const some = await deliver([entry], csrf);
    if (some === null) return null;
    taken += some;
  }
  return taken;
}

function refuse(key, status, problem) {
  return store.change(key, () => true, () => ({ state: "refused", problem: { ...problem, status }, refused_at: Date.now() }));
}

/** Whether a person may give an entry up: the shop has surely not posted it. */
export function mayGiveUp(entry) {
  return entry.state === "refused" || (entry.state === "waiting" && entry.tries === 0);
}

/** A person gives an entry up; it is not sent, and can be had back for a month. Gives whether it was still possible. */
export async function giveUp(key) {
  const done = await store.change(key, mayGiveUp, (entry) => ({ state: "given_up", before: entry.state, given_at: Date.now() }));
  tell();
  return done !== null;
}

/** Have back what was given up, as it was. */
export async function takeBack(key) {
  await store.change(key, (entry) => entry.state === "given_up", (entry) => ({ state: entry.before }));
  tell();
}

/** Try a refused entry again, with another body where a person has mended it. A refusal left no trace, so the key stays. */
export async function again(key, body) {
  await store.change(key, (entry) => entry.state === "refused", (entry) => ({ state: "waiting", problem: null, body: body ?? entry.body }));
  return sendNow();
}

/** Send what somebody else left on this phone in the name of who is signed in now; the body stays what it was. */
export async function adopt(key) {
  const { person } = ofPage();
  if (person) await store.change(key, (entry) => entry.state !== "given_up", () => ({ who: person, state: "waiting", problem: null }));
  return sendNow();
}

function later() {
  timer ||= setTimeout(() => { timer = 0; sendNow(); }, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
}

/** Say what is kept, here and in the other tabs: the event `dianku:kept` with `{waiting, refused}`. */
function tell() {
  heard.postMessage("changed");
  return announce();
}

async function announce() {
  const entries = await store.all().catch(() => []);
  const count = (state) => entries.filter((entry) => entry.state === state).length;
  document.dispatchEvent(new CustomEvent("dianku:kept", { detail: { waiting: count("waiting"), refused: count("refused") } }));
}

/** Begin: on every page, once. Sends what an earlier page left. */
export function begin() {
  heard.onmessage = announce;
  addEventListener("online", () => { failures = 0; sendNow(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) sendNow(); });
  store.tidy().catch(() => {});
  if (navigator.onLine !== false && ofPage().person && !known()) ofNow();   // it tells the time as well
  sendNow();
}
