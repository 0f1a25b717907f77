// What a code stands for: asked of the shop, and of a copy on this phone where the shop does not answer.
//
// The copy has products with their codes, packs and prices, never a cost and never a level of stock. It
// is fetched page by page in quiet moments, goes on where a page that was left had got to, and then
// follows what changed. At most 100,000 products; beyond that the rest needs the shop.
import { named } from "../device.js";
import { Refused, api } from "../api.js";

const NAME = named("dianku-goods");
const PATIENCE_MS = 1_500;   // a person waits with the goods in hand
const MOST = 100_000;
const PAGE = 1000;
const CHANGES = 200;         // more than this since the last look: everything anew
const FRESH_MS = 60_000;
const FORM = 2;               // what is kept of a product; a copy of another form is fetched anew
const PAUSE_MS = 250;        // between two pages, so that the till goes before
const OLD_MS = 7 * 86_400_000;
let opened;

/** The matches of a code in a store, as `GET /scan/{code}` answers them; `stock` is null from the copy. */
export async function lookUp(code, store) {
  const query = store ? `?store=${encodeURIComponent(store)}` : "";
  const asked = async (options) => (await api("GET", `/scan/${encodeURIComponent(code)}${query}`, undefined, options)).body;
  if (navigator.onLine === false) return (await onPhone(code, store)) ?? nobody();
  const far = asked({}).then((body) => ({ body }), (error) => ({ error }));
  const first = await Promise.race([far, new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS, null); })]);
  if (first?.body) return first.body;
  if (first?.error && !(first.error instanceof Refused && first.error.passing)) throw first.error;
  const near = await onPhone(code, store);
  if (near) return near;
  const last = first ?? await far;   // not on the phone: then it is worth waiting for
  if (last.error) throw last.error;
  return last.body;
}

function nobody() {
  throw new Refused(0, null);
}

/** The same from the copy; null where it does not know the code. */
async function onPhone(code, store) {
  let found;
  try {
    const base = await open();
    const index = base.transaction("products").objectStore("products").index("codes");
    // The same number is twelve digits in one country and thirteen with a zero in another.
    const forms = [code, ...(/^\d{12}$/.test(code) ? [`0${code}`] : /^0\d{12}$/.test(code) ? [code.slice(1)] : [])];
    found = (await Promise.all(forms.map((form) => done(index.getAll(form))))).flat();
    found = found.map((product) => match(product, forms, store));
  } catch {
    return null;
  }
  return found.length ? { matches: found } : null;
}

function match(product, forms, store) {
  const pack = product.packs.find((one) => forms.includes(one.code));
  const factor = pack?.factor ?? 1;
  const unit = product.prices?.[store] ?? product.price;
  return {
    sku: product.sku, name: product.name, spec: product.spec, unit: product.unit, factor,
    price: pack?.price ?? packOf(unit, factor),
    open_price: product.open_price ? { min: packOf(product.open_price.min, factor), max: packOf(product.open_price.max, factor) } : null,
    quantity: null, amount: null, lot: null, made_on: null, expires_on: null, composition: product.composition, photo: null, stock: null,
  };
}

const packOf = (price, factor) => (price === null ? null : times(price, factor));

function times(price, factor) {
  const [whole, rest = ""] = price.split(".");
  const minor = String(BigInt(whole + rest) * BigInt(factor)).padStart(rest.length + 1, "0");
  return rest ? `${minor.slice(0, -rest.length)}.${minor.slice(-rest.length)}` : minor;
}

/** Bring the copy up to date for a person; quietly gives up where the shop does not answer. */
export async function follow(person) {
  if (navigator.onLine === false) return;
  const work = async (lock) => { if (lock) await followed(person); };
  try {
    await (navigator.locks ? navigator.locks.request(NAME, { ifAvailable: true }, work) : work(true));
  } catch (error) {
    if (!(error instanceof Refused || error instanceof DOMException)) throw error;
  }
}

async function followed(person) {
  const now = Date.now();
  let state = (await state_()) ?? {};
  if (state.person !== person || state.form !== FORM || now - (state.whole_at ?? now) > OLD_MS) {
    await clear();
    state = { person, form: FORM };
  }
  if (!state.whole_at) return whole(state);
  if (now - state.looked_at < FRESH_MS) return undefined;
  const { body } = await api("GET", `/events?type=product.changed&after=${state.head}&limit=${CHANGES}`);
  if (body.next_cursor) { await clear(); return whole({ person, form: FORM }); }
  const skus = [...new Set(body.items.map((event) => event.data.sku).filter(Boolean))];
  for (const sku of skus) {
    // One by one: only so does the shop tell what a store asks for it.
    const { body: product } = await api("GET", `/products/${encodeURIComponent(sku)}`);
    await write([product], person);
  }
  return note({ ...state, head: body.looked_to, looked_at: now });
}

/** All of it, from where an earlier page had got to. */
async function whole(state) {
  // Asked before the first page: what changes while pages come is then looked at once more.
  state.head ??= (await api("GET", "/events?type=none&limit=1")).body.looked_to;
  state.count ??= 0;
  await note(state, { anew: true });
  do {
    const from = state.cursor ? `&cursor=${encodeURIComponent(state.cursor)}` : "";
    const { body } = await api("GET", `/products?sort=sku&limit=${PAGE}${from}`);
    await write(body.items, state.person);
    state = { ...state, cursor: body.next_cursor, count: state.count + body.items.length };
    await note(state);
    if (state.cursor) await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
  } while (state.cursor && state.count < MOST);
  await note({ person: state.person, form: FORM, head: state.head, count: state.count, cut: Boolean(state.cursor), whole_at: Date.now(), looked_at: 0 });
}

async function write(products, person) {
  const base = await open();
  const one = base.transaction(["products", "state"], "readwrite", { durability: "relaxed" });
  whileOf(one, person, () => {
    for (const product of products) {
      if (product.archived) one.objectStore("products").delete(product.sku);
      else one.objectStore("products").put(copied(product));
    }
  });
  await ended(one);
}

/** Go on only while the copy is still this person's: what was on its way at a sign-out is not kept after it. */
function whileOf(one, person, work) {
  const asked = one.objectStore("state").get("state");
  asked.onsuccess = () => { if (asked.result?.person === person) work(); else one.abort(); };
}

/** What of a product is kept: no cost. */
function copied({ sku, name, spec, unit, price, open_price, composition, barcodes, stores }) {
  const own = (stores ?? []).filter((one) => one.price !== null && one.price !== undefined);
  return {
    sku, name, spec, unit, price, open_price, composition, packs: barcodes,
    ...(own.length ? { prices: Object.fromEntries(own.map((one) => [one.store, one.price])) } : {}),
    codes: [...new Set([sku, ...barcodes.map((pack) => pack.code)])],
  };
}

async function state_() {
  const base = await open();
  return done(base.transaction("state").objectStore("state").get("state"));
}

async function note(state, { anew = false } = {}) {
  const base = await open();
  const one = base.transaction("state", "readwrite");
  const put = () => one.objectStore("state").put(state, "state");
  if (anew) put();
  else whileOf(one, state.person, put);
  await ended(one);
}

async function clear() {
  const base = await open();
  const one = base.transaction(["products", "state"], "readwrite");
  one.objectStore("products").clear();
  one.objectStore("state").clear();
  await ended(one);
}

/** Leave nothing of a person on this phone but what is still to be sent: their pages and the goods. */
export async function forget() {
  await Promise.allSettled([clear(), self.caches?.delete("dianku-pages")]);
}

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("products", { keyPath: "sku" }).createIndex("codes", "codes", { multiEntry: true });
      asked.result.createObjectStore("state");
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => { asked.result.close(); opened = undefined; };
      resolve(asked.result);
    };
    asked.onerror = () => { opened = undefined; reject(asked.error); };
  });
  return opened;
}

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const ended = (one) => new Promise((resolve, reject) => {
  one.oncomplete = () => resolve();
  one.onabort = one.onerror = () => reject(one.error ?? new DOMException("ended", "AbortError"));
});
