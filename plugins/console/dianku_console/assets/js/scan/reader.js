// What codes a picture shows: asked of the browser where it can read them, else of our own reader.
const NEEDED = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "code_39", "itf", "qr_code"];
const LONGEST = 2000;   // pixels of a photo's longer side; more costs time and finds nothing more
// Ways of looking at a picture, by the worker's names, and what they are: looks of one kind are misled together.
const KINDS = { full: "whole", soft: "soft", close: "whole", small: "small", third: "third", even: "even" };
const WAYS = Object.keys(KINDS);
const WHOLE = new Set(["whole", "even"]);   // kinds that leave the picture its size
const MATRIX = /^(QR|DataMatrix|qr_code|data_matrix)/;
const SURE_MS = 1500;   // readings further apart say nothing of each other
const SURE_TIMES = 2;   // of a reader that shows no ways of its own
const SMALL_TIMES = 4;  // where none leaves the picture its size: that others have had their chance
const NEAR = 0.25;      // of a code's length: its bars are higher, and the next code is further away
const SURE_LINES = 3;   // fewer lines of a picture in its size are a chance

async function native() {
  if (!("BarcodeDetector" in window)) return null;
  try {
    const known = await BarcodeDetector.getSupportedFormats();
    if (!NEEDED.every((one) => known.includes(one))) return null;
    const also = known.includes("data_matrix") ? ["data_matrix"] : [];
    const detector = new BarcodeDetector({ formats: [...NEEDED, ...also] });
    return {
      ways: [""],
      read: async (source) => (await detector.detect(source)).map((one) => ({ text: one.rawValue, format: one.format })),
      end() {},
    };
  } catch {
    return null;
  }
}

function ours() {
  const worker = new Worker(new URL("./worker.js", import.meta.url));
  const waiting = new Map();
  let last = 0;
  worker.addEventListener("message", ({ data }) => {
    const asked = waiting.get(data.number);
    waiting.delete(data.number);
    if (data.wrong) asked?.reject(new Error(data.wrong));
    else asked?.resolve(data.codes);
  });
  worker.addEventListener("error", (event) => {
    for (const asked of waiting.values()) asked.reject(new Error(event.message));
    waiting.clear();
  });
  return {
    ways: WAYS,
    async read(source, way = "full") {
      const picture = "OffscreenCanvas" in window ? await createImageBitmap(source) : raw(source);
      return new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        worker.postMessage({ number: last, picture, way }, [picture instanceof ImageData ? picture.data.buffer : picture]);
      });
    },
    end() { worker.terminate(); },
  };
}

function drawn(source, width, height) {
  const board = document.createElement("canvas");
  board.width = width;
  board.height = height;
  board.getContext("2d", { willReadFrequently: true }).drawImage(source, 0, 0, width, height);
  return board;
}

/** The pixels themselves, for a worker that cannot draw. */
function raw(source) {
  const width = source.videoWidth ?? source.width, height = source.videoHeight ?? source.height;
  return drawn(source, width, height).getContext("2d").getImageData(0, 0, width, height);
}

/** A reader: `read(video or picture)` gives `[{text, format}]`, looking at it in one of its `ways`; `end()` lets go of it. */
export async function reader() {
  return (await native()) ?? ours();
}

/**
 * Which readings are believed. What has a strong check of its own is, at once; lines are, when two kinds of
 * looking at the picture agree, one of which leaves it its size, and while not half as many readings of their
 * place say something else. Looks that make the picture smaller agree with one another on what smearing made
 * of a code, but what is made up is another code the next time: where they alone see a code, nothing else may
 * have been read there.
 */
export class Belief {
  #seen = new Map();   // code -> {kinds: kind -> when, first, last}
  #read = [];          // what was read lately: {text, place, at}

  /** Those of what was just read that are now believed. */
  of(found, way, now) {
    const kind = KINDS[way] ?? "";
    const lines = found.filter((one) => !MATRIX.test(one.format) && !(WHOLE.has(kind) && (one.lines ?? SURE_LINES) < SURE_LINES));
    this.#read = [...this.#read.filter(({ at }) => now - at < SURE_MS), ...lines.map(({ text, place }) => ({ text, place, at: now }))];
    for (const { text } of lines) this.#note(text, kind, now);
    return found.filter((one) => MATRIX.test(one.format) || (lines.includes(one) && this.#sure(one, kind, now)));
  }

  #note(text, kind, now) {
    const before = this.#seen.get(text);
    const lately = before !== undefined && now - before.last < SURE_MS;
    const one = lately ? before : { kinds: new Map(), first: now };
    one.kinds.set(kind, now);
    one.last = now;
    this.#seen.set(text, one);
  }

  #sure({ text, place }, kind, now) {
    const { kinds, first } = this.#seen.get(text);
    // What was read before this code came into sight says nothing against it.
    const since = this.#read.filter(({ at }) => at >= first);
    const times = since.filter((one) => one.text === text).length;
    if (kind === "") return times >= SURE_TIMES;
    const lately = [...kinds].filter(([, at]) => now - at < SURE_MS).map(([one]) => one);
    if (lately.length < 2) return false;
    const rivals = since.filter((one) => one.text !== text && near(one.place, place)).length;
    return lately.some((one) => WHOLE.has(one)) ? rivals * 2 < times : rivals === 0 && times >= SMALL_TIMES;
  }

  /** What was read a moment ago, believed or not. */
  doubted(now, moment) {
    return [...this.#seen].filter(([, { last }]) => now - last < moment).map(([code]) => code);
  }
}

/** Whether two readings are of one place, where only one code can be. */
function near(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y) < NEAR * Math.max(one.long, other.long);
}

/** The codes on a photo out of a file, which may be large and lie on its side. */
export async function readPhoto(file, eyes) {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(whole.width, whole.height));
  const [width, height] = [Math.round(whole.width * scale), Math.round(whole.height * scale)];
  const board = drawn(whole, width, height);
  whole.close();
  const belief = new Belief();
  const clear = [], sure = [];
  for (const way of eyes.ways) {
    const found = await eyes.read(board, way);
    sure.push(...belief.of(found, way, 0));
    if (!(way in KINDS) || WHOLE.has(KINDS[way])) clear.push(...found.filter(({ lines = SURE_LINES }) => lines >= SURE_LINES));
  }
  // A single photo gives no second chance: what one look shows clearly is better than nothing.
  return offered(sure.length ? sure : clear);
}

/** The codes to offer of what was found, each once: no link of an advertisement beside a code of goods. */
export function offered(found) {
  const codes = [...new Set(found.map((one) => one.text.trim()).filter(Boolean))];
  const plain = codes.filter((code) => !/^https?:/i.test(code));
  return plain.length ? plain : codes;
}
