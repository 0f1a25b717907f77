// Reads codes out of pictures beside the page, so that the live picture never stops for it.
/* global ZXingWASM */
importScripts(new URL("../../vendor/zxing_reader.js", self.location.href).href);

const program = new URL("../../vendor/zxing_reader.wasm", self.location.href).href;
ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => program } });

// What is on goods, on cartons, on shelves and on the shop's own labels; no add-on of magazines. The reader
// makes nothing smaller by itself: two looks of different sizes would then be looks of one size.
const OPTIONS = {
  formats: ["EANUPC", "Code128", "Code39", "ITF", "DataBar", "DataBarExp", "QRCode", "DataMatrix"],
  eanAddOnSymbol: "Ignore",
  textMode: "HRI",
  maxNumberOfSymbols: 8,
  tryDownscale: false,
};
const board = typeof OffscreenCanvas === "undefined" ? null : new OffscreenCanvas(1, 1);

// One picture is looked at in several ways, for no single one reads every code: as it is; where its detail is
// (a bright table beside a code hides it from a reader that judges line by line what is dark); evened out, each
// pixel against those around it (shadows, shine); and smaller, which evens out noise and small print. One look is enough for codes of light on dark.
const WAYS = {
  full: { scale: 1 },
  close: { scale: 1, close: true },
  even: { scale: 1, even: true },
  soft: { scale: 0.66, inverted: true },
  third: { scale: 0.33 },
  small: { scale: 0.4, close: true },
};
const [MAP_WIDTH, MAP_HEIGHT] = [160, 90];
const FLAT = 0.04;        // of the busiest row or column: less is an even surface
const AROUND = 0.0625;    // of the width: how far around a pixel it is judged against
const DARKER = 4;         // than around, of 256: less is noise

function pixels(picture, box, { scale, even }) {
  const found = drawn(picture, box, Math.max(1, Math.round(box.width * scale)), Math.max(1, Math.round(box.height * scale)));
  return even ? evened(found) : found;
}

/** Where on the picture a code was read: its middle, and how long it is. */
function place({ topLeft, topRight, bottomLeft, bottomRight }, { left, top }, scale) {
  const corners = [topLeft, topRight, bottomRight, bottomLeft];
  const middle = (of) => corners.reduce((sum, one) => sum + one[of], 0) / 4 / scale;
  const long = Math.max(Math.hypot(topRight.x - topLeft.x, topRight.y - topLeft.y), Math.hypot(bottomLeft.x - topLeft.x, bottomLeft.y - topLeft.y)) / scale;
  return { x: left + middle("x"), y: top + middle("y"), long };
}

/** A part of a picture at some size. */
function drawn(picture, { left, top, width, height }, toWidth, toHeight) {
  if (picture instanceof ImageData) return sampled(picture, { left, top, width, height }, toWidth, toHeight);
  [board.width, board.height] = [toWidth, toHeight];
  const drawing = board.getContext("2d", { willReadFrequently: true });
  drawing.imageSmoothingQuality = "high";
  drawing.drawImage(picture, left, top, width, height, 0, 0, toWidth, toHeight);
  return drawing.getImageData(0, 0, toWidth, toHeight);
}

/** The same by hand, where a worker cannot draw: each pixel the mean of the four around its place. */
function sampled(picture, { left, top, width, height }, toWidth, toHeight) {
  const { width: across, height: down, data } = picture;
  if (toWidth === across && toHeight === down) return picture;
  const made = new ImageData(toWidth, toHeight);
  for (let y = 0, at = 0; y < toHeight; y += 1) {
    const row = Math.min(down - 2, Math.floor(top + ((y + 0.5) * height) / toHeight - 0.5));
    for (let x = 0; x < toWidth; x += 1, at += 4) {
      const from = 4 * (Math.max(0, row) * across + Math.max(0, Math.min(across - 2, Math.floor(left + ((x + 0.5) * width) / toWidth - 0.5))));
      for (let of = 0; of < 3; of += 1) made.data[at + of] = (data[from + of] + data[from + 4 + of] + data[from + 4 * across + of] + data[from + 4 * across + 4 + of]) >> 2;
      made.data[at + 3] = 255;
    }
  }
  return made;
}

/** Where a picture is not an even surface. */
function detail(picture) {
  const { data } = drawn(picture, { left: 0, top: 0, width: picture.width, height: picture.height }, MAP_WIDTH, MAP_HEIGHT);
  const light = (x, y) => { const at = 4 * (y * MAP_WIDTH + x); return data[at] + 2 * data[at + 1] + data[at + 2]; };
  const columns = new Float64Array(MAP_WIDTH), rows = new Float64Array(MAP_HEIGHT);
  for (let y = 1; y < MAP_HEIGHT - 1; y += 1) {
    for (let x = 1; x < MAP_WIDTH - 1; x += 1) {
      const change = Math.abs(light(x + 1, y) - light(x - 1, y)) + Math.abs(light(x, y + 1) - light(x, y - 1));
      columns[x] += change;
      rows[y] += change;
    }
  }
  const [left, right] = span(columns), [top, bottom] = span(rows);
  const [wide, high] = [picture.width / MAP_WIDTH, picture.height / MAP_HEIGHT];
  return { left: left * wide, top: top * high, width: (right - left) * wide, height: (bottom - top) * high };
}

function span(sums) {
  const flat = Math.max(...sums) * FLAT;
  let [first, last] = [0, sums.length - 1];
  while (first < last && sums[first] <= flat) first += 1;
  while (last > first && sums[last] <= flat) last -= 1;
  return [first, last + 1];
}

/** Black where a pixel is darker than the mean of the square around it, else white. */
function evened(found) {
  const { width, height, data } = found;
  const light = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < light.length; at += 1, from += 4) light[at] = (data[from] * 77 + data[from + 1] * 150 + data[from + 2] * 29) >> 8;
  const reach = Math.max(1, Math.round((width * AROUND) / 2));
  const sums = new Uint32Array(width);   // of each column, over the rows within reach
  let [above, below] = [0, 0];           // rows that the sums hold: from, to
  for (let y = 0; y < height; y += 1) {
    for (; below < Math.min(height, y + reach + 1); below += 1) for (let x = 0; x < width; x += 1) sums[x] += light[below * width + x];
    for (; above < Math.max(0, y - reach); above += 1) for (let x = 0; x < width; x += 1) sums[x] -= light[above * width + x];
    const rows = below - above;
    let sum = 0, first = 0, last = 0;
    for (let x = 0, at = y * width; x < width; x += 1, at += 1) {
      for (; last < Math.min(width, x + reach + 1); last += 1) sum += sums[last];
      for (; first < Math.max(0, x - reach); first += 1) sum -= sums[first];
      const mean = sum / (rows * (last - first));
      data[4 * at] = data[4 * at + 1] = data[4 * at + 2] = light[at] > mean - DARKER ? 255 : 0;
    }
  }
  return found;
}

self.addEventListener("message", async ({ data: { number, picture, way } }) => {
  try {
    const looking = WAYS[way];
    const box = looking.close ? detail(picture) : { left: 0, top: 0, width: picture.width, height: picture.height };
    const found = await ZXingWASM.readBarcodes(pixels(picture, box, looking), { ...OPTIONS, tryInvert: looking.inverted === true });
    const codes = found.filter((one) => one.isValid).map(({ text, format, lineCount, position }) => ({ text, format, lines: lineCount, place: place(position, box, looking.scale) }));
    self.postMessage({ number, codes });
  } catch (error) {
    self.postMessage({ number, wrong: String(error) });
  } finally {
    picture.close?.();
  }
});
