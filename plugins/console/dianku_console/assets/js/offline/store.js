// What the queue keeps on the device, in IndexedDB: entries until they are settled, and for a while
// what became of them. Every change of an entry is one transaction, so tabs never see half of one.
import { named } from "../device.js";

const NAME = named("dianku-kept");
const REMEMBERED_MS = 2 * 86_400_000;
const GIVEN_UP_MS = 30 * 86_400_000;
let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("kept", { keyPath: "key" });
      asked.result.createObjectStore("done", { keyPath: "key" });
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => { asked.result.close(); opened = undefined; };
      asked.result.onclose = () => { opened = undefined; };   // the browser cleared it under us
      resolve(asked.result);
    };
    asked.onerror = () => { opened = undefined; reject(asked.error); };
  });
  return opened;
}

/** Run `work(kept, done)` in one transaction; gives what it returns, or the result of its request. */
async function within(mode, work) {
  const base = await open();
  return new Promise((resolve, reject) => {
    // Strict: what the person was told is kept survives a phone whose battery is taken out.
    const one = base.transaction(["kept", "done"], mode, { durability: "strict" });
    const given = work(one.objectStore("kept"), one.objectStore("done"));
    one.oncomplete = () => resolve(given instanceof IDBRequest ? given.result : given?.value);
    one.onabort = one.onerror = () => reject(one.error);
  });
}

/** Every entry, the oldest first. */
export async function all() {
  const found = await within("readonly", (kept) => kept.getAll());
  return found.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}

/** Take an entry in. */
export async function keep(entry) {
  await within("readwrite", (kept) => kept.put(entry));
}

/** Change an entry if it is still there and `may(entry)`; gives what it then is, or null. */
export function change(key, may, values) {
  return within("readwrite", (kept) => {
    const box = { value: null };
    const asked = kept.get(key);
    asked.onsuccess = () => {
      if (!asked.result || !may(asked.result)) return;
      box.value = { ...asked.result, ...values(asked.result) };
      kept.put(box.value);
    };
    return box;
  });
}

/** The shop has it: take it out and remember for a while as what. */
export async function settle(key, number) {
  await within("readwrite", (kept, done) => { kept.delete(key); done.put({ key, number: number ?? null, at: Date.now() }); });
}

/** Take out what was refused while its person was there to read why. */
export async function drop(key) {
  await within("readwrite", (kept) => { kept.delete(key); });
}

/** What became of an entry: `{state: "posted", number}`, `{state: "kept"}`, or null for one never seen. */
export function outcome(key) {
  return within("readonly", (kept, done) => {
    const box = { value: null };
    const [there, gone] = [kept.get(key), done.get(key)];
    there.onsuccess = () => { if (there.result) box.value = { state: "kept" }; };
    gone.onsuccess = () => { if (gone.result) box.value = { state: "posted", number: gone.result.number }; };
    return box;
  });
}

/** Forget what was settled days ago, and what a person gave up a month ago. */
export async function tidy() {
  const now = Date.now();
  await within("readwrite", (kept, done) => {
    const old = done.openCursor();
    old.onsuccess = () => { const at = old.result; if (!at) return; if (now - at.value.at > REMEMBERED_MS) at.delete(); at.continue(); };
    const given = kept.openCursor();
    given.onsuccess = () => {
      const at = given.result;
      if (!at) return;
      if (at.value.state === "given_up" && now - at.value.given_at > GIVEN_UP_MS) at.delete();
      at.continue();
    };
  });
}
