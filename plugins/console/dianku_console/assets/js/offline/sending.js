// Getting entries to the server: one by itself, or many in a batch where the address takes batches.
//
// An entry is sent as it was kept, always with its key; only `sent_at` is of the moment, by the clock
// it was kept by, from which the server learns how wrong that one is. So the hundredth sending is the first again.
import { Refused, api } from "../api.js";
import { sentAt } from "./clock.js";

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
    const fits = ours && theirs && last.length < BATCH && ours.path === theirs.path && (ours.each || (steady(entry) && steady(last[0])));
    if (fits) last.push(entry);
    else cut.push([entry]);
  }
  return cut;
}

/** Whether the clock it was kept by still runs: only such can share one time of sending. */
function steady(entry) {
  const now = Date.now();
  return sentAt(entry, now) === now;
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
  const sent_at = moment(entry);
  if (!entry.list) return (await ask(entry.address, { ...entry.body, sent_at }, { key: entry.key, csrf })).body;
  const { body } = await ask(...listed([entry]), { csrf });
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
  const { body } = await ask(...listed(entries), { csrf });
  return body.results;
}

/** The path and body of entries together: documents say each when they were sent, counts once for all. */
function listed(entries) {
  const { path, list, each } = batched(entries[0]);
  const rows = entries.map((entry) => ({ ...entry.body, key: entry.key, ...(each ? { sent_at: moment(entry) } : {}) }));
  return [path, { ...(each ? {} : { sent_at: moment(entries[0]) }), [list]: rows }];
}

const moment = (entry) => new Date(sentAt(entry)).toISOString();

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
