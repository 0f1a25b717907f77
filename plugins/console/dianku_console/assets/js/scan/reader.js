// What codes a picture shows: asked of the browser where it can read them, else of our own reader.
const NEEDED = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "code_39", "itf", "qr_code"];
const LONGEST = 2000;   // pixels of a photo's longer side; more costs time and finds nothing more
const WAYS = ["full", "half", "middle", "soft"];   // of looking at a picture, by the worker's names
const MATRIX = /^(QR|DataMatrix|qr_code|data_matrix)/;
const SURE_MS = 1500;   // readings further apart say nothing of each other
const SURE_TIMES = 3;
const SURE_LINES = 4;

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
 * Which readings are believed. What has a strong check of its own is, at once; lines are, when the whole
 * picture as it is and another way of looking agree, or when it alone shows them clearly again and again.
 * Ways that make the picture smaller agree, also with themselves, on what smearing made of it.
 */
export class Belief {
  #seen = new Map();   // code -> way -> {times, at}

  /** Those of what was just read that are now believed. */
  of(found, way, now) {
    return found.filter(({ text, format, lines = SURE_LINES }) => {
      if (MATRIX.test(format)) return true;
      let ways = this.#seen.get(text);
      if (ways === undefined) this.#seen.set(text, (ways = new Map()));
      const before = ways.get(way);
      const times = before !== undefined && now - before.at < SURE_MS ? before.times + 1 : 1;
      ways.set(way, { times, at: now });
      const agreed = [...ways].some(([other, { at }]) => other !== way && (way === "full" || other === "full") && now - at < SURE_MS);
      return agreed || ((way === "full" || way === "") && lines >= SURE_LINES && times >= (way ? SURE_TIMES : 2));
    });
  }

  /** What was read a moment ago, believed or not. */
  doubted(now, moment) {
    return [...this.#seen].filter(([, ways]) => [...ways.values()].some(({ at }) => now - at < moment)).map(([code]) => code);
  }
}

/** The codes on a photo out of a file, which may be large and lie on its side. */
export async function readPhoto(file, eyes) {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(whole.width, whole.height));
  const [width, height] = [Math.round(whole.width * scale), Math.round(whole.height * scale)];
  const board = drawn(whole, width, height);
  whole.close();
  const belief = new Belief();
  const every = [], sure = [];
  for (const way of eyes.ways) {
    const found = await eyes.read(board, way);
    every.push(...found);
    sure.push(...belief.of(found, way, 0));
  }
  // A single photo gives no second chance: what was read once is better than nothing, and is shown.
  return offered(sure.length ? sure : every);
}

/** The codes to offer of what was found, each once: no link of an advertisement beside a code of goods. */
export function offered(found) {
  const codes = [...new Set(found.map((one) => one.text.trim()).filter(Boolean))];
  const plain = codes.filter((code) => !/^https?:/i.test(code));
  return plain.length ? plain : codes;
}
