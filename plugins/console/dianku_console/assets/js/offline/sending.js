// Getting entries to the server: one by itself, or many in a batch where the address takes batches.
//
// An entry is sent as it was kept, always with its key; only `sent_at` is of the moment, from which
// the server learns how wrong this device's clock is. So the hundredth sending is the first again.
import { Refused, api } from "../api.js";

const PATIENCE_MS = 15_000;
const BATCH = 10;   // small: an answer lost on a bad line is of few, and the till goes between
const DOCUMENTS = "/documents";

/** How an address takes several entries at once: the path and the name of the list; null where it does not. */
function batched(entry) {
  if (entry.list) return { path: entry.address, list: entry.list, each: entry.address.startsWith(DOCUMENTS) };
  return entry.address === DOCUMENTS ? { path: `${DOCUMENTS}/batch`, list: "documents", each: true } : null;
}

/** Entries cut into what goes in one request, in their order. */
export function groups(entries) {
  const cut = [];
  for (const entry of entries) {
    const last = cut.at(-1);
    const [ours, theirs] = [batched(entry), last && batched(last[0])];
    const fits = ours && theirs && last.length < BATCH && ours.path === theirs.path;
    if (fits) last.push(entry);
    else cut.push([entry]);
  }
  return cut;
}

async function ask(path, body, { key, csrf }) {
  try {
    return await api("POST", path, body, { key, csrf, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(0, null);   // too slow: perhaps it arrived, the key will tell
  }
}

/** Send one entry; gives the answer, throws `Refused`. */
export async function sendOne(entry, csrf) {
  const sent_at = new Date().toISOString();
  if (!entry.list) return (await ask(entry.address, { ...entry.body, sent_at }, { key: entry.key, csrf })).body;
  const { body } = await ask(...listed([entry], sent_at), { csrf });
  const [result] = body.results;
  if (result.status === "refused") throw new Refused(result.problem?.status ?? 409, result.problem);
  return { ...body, ...result };
}

/** Send a group; gives a result for each entry: `{key, status, number?, problem?}`. Throws when all were turned away. */
export async function sendMany(entries, csrf) {
  if (entries.length === 1) {
    const answer = await sendOne(entries[0], csrf);
    return [{ key: entries[0].key, status: "created", number: answer?.number }];
  }
  const { body } = await ask(...listed(entries, new Date().toISOString()), { csrf });
  return body.results;
}

/** The path and body of entries together: documents say each when they were sent, counts once for all. */
function listed(entries, sent_at) {
  const { path, list, each } = batched(entries[0]);
  const rows = entries.map((entry) => ({ ...entry.body, key: entry.key, ...(each ? { sent_at } : {}) }));
  return [path, { ...(each ? {} : { sent_at }), [list]: rows }];
}

/** Refused for a reason of the moment, not of the document: nobody answered, busy, or not signed in as who made it. */
export function passes(refused) {
  return refused.passing || refused.status === 401 || wrongSecret(refused) || notNow(refused);
}

/** The page's secret is of another session. */
export function wrongSecret(refused) {
  return refused.status === 403 && refused.problem.permission === "csrf";
}

// Something between us and the shop answered in its place: a proxy, a hotel's sign-in page.
function notNow(refused) {
  return refused.status > 0 && !refused.problem.code;
}
