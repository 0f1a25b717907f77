// Reads codes out of pictures beside the page, so that the live picture never stops for it.
/* global ZXingWASM */
importScripts(new URL("../../vendor/zxing_reader.js", self.location.href).href);

const program = new URL("../../vendor/zxing_reader.wasm", self.location.href).href;
ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => program } });

// What is on goods, on cartons, on shelves and on the shop's own labels; no add-on of magazines.
const OPTIONS = {
  formats: ["EANUPC", "Code128", "Code39", "ITF", "DataBar", "DataBarExp", "QRCode", "DataMatrix"],
  eanAddOnSymbol: "Ignore",
  textMode: "HRI",
  maxNumberOfSymbols: 8,
};
const board = typeof OffscreenCanvas === "undefined" ? null : new OffscreenCanvas(1, 1);

// One picture is looked at in several ways, for no single one reads every code: as it is, smaller (which
// evens out noise and small print), and its middle alone (where a code is small and all around is bright).
const WAYS = { full: [1, 1], half: [0.4, 1], soft: [0.66, 1], middle: [1, 0.5] };

function pixels(picture, way) {
  if (picture instanceof ImageData) return picture;
  const [scale, part] = WAYS[way];
  const [width, height] = [picture.width * part, picture.height * part];
  board.width = Math.max(1, Math.round(width * scale));
  board.height = Math.max(1, Math.round(height * scale));
  const drawing = board.getContext("2d", { willReadFrequently: true });
  drawing.drawImage(picture, (picture.width - width) / 2, (picture.height - height) / 2, width, height, 0, 0, board.width, board.height);
  picture.close();
  return drawing.getImageData(0, 0, board.width, board.height);
}

self.addEventListener("message", async ({ data: { number, picture, way } }) => {
  try {
    const found = await ZXingWASM.readBarcodes(pixels(picture, way), OPTIONS);
    const codes = found.filter((one) => one.isValid).map(({ text, format, lineCount }) => ({ text, format, lines: lineCount }));
    self.postMessage({ number, codes });
  } catch (error) {
    self.postMessage({ number, wrong: String(error) });
  }
});
