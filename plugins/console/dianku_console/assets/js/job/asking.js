// Asked before it is posted: what the shop finds odd about a document is shown while it can still be
// changed. Nobody is asked about the usual, and where the shop does not answer soon nobody waits for it.
import { Refused, api } from "../api.js";
import { make, sheet, sound } from "../ui.js";
import { t } from "../words.js";
import { fen, money, plain, quantity } from "./exact.js";

const PATIENCE_MS = 2_000;
/** What a person can still do something about; the rest is told with the document. */
const DOUBTS = ["unusual_quantity", "expired_received", "cost_above_price", "below_cost", "expired_lot", "promised_stock", "sold_without_stock"];

/**
 * Ask the shop about `body`, made of `lines` in their order, and a person where there is a doubt.
 *
 * Gives the codes of what was said to be right, often none; null where the person goes back to the
 * lines, which then say what was odd. Throws `Refused` with what would refuse it anyway.
 */
export async function asked(body, lines, { go, symbol }) {
  const doubts = (await foreseen(body)).filter((one) => DOUBTS.includes(one.code));
  if (!doubts.length) return [];
  const said = new Map();
  for (const one of doubts) {
    const line = lineOf(one, lines);
    said.set(line, [...(said.get(line) ?? []), words(one, line, symbol)]);
  }
  if (await sure(said, go)) return doubts.map((one) => one.code);
  for (const [line, texts] of said) if (line) line.wrong = texts.join("\n");
  return null;
}

async function foreseen(body) {
  if (navigator.onLine === false) return [];
  const patience = new AbortController();
  const end = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    return (await api("POST", "/documents/check", body, { signal: patience.signal })).body.warnings;
  } catch (error) {
    if (error.name === "AbortError") return [];
    if (!(error instanceof Refused)) throw error;
    // Who is signed out, or cannot reach the shop: the queue knows what to do with the document.
    if (error.status === 409 || error.status === 422) throw error;
    return [];
  } finally {
    clearTimeout(end);
  }
}

function lineOf({ data }, lines) {
  return lines[data.line - 1] ?? lines.find((line) => line.sku === data.sku);
}

function words({ code, data, message }, line, symbol) {
  if (!line) return message;
  if (code === "unusual_quantity") {
    const count = measured(data.quantity, line);
    if (quantity(data.usual)) return t("console.asking.unusual", { count, usual: measured(data.usual, line) });
    return quantity(data.sold_90_days) ? t("console.asking.sold", { count, sold: measured(data.sold_90_days, line) }) : message;
  }
  if (code === "expired_received") return t("console.asking.expired", { day: data.expires_on });
  if (code === "cost_above_price") return t("console.asking.dear", { amount: money(fen(data.amount), symbol), worth: money(fen(data.worth), symbol) });
  return message;
}

/** So many base units in the words they were scanned in: packs where it was a pack, the unit else. */
function measured(text, line) {
  const steps = quantity(text);
  if (line.factor > 1 && steps >= line.factor * 1000) return t("console.asking.packs", { n: Math.round(steps / line.factor / 1000), each: line.factor, unit: line.unit });
  return t("console.asking.pieces", { n: plain(steps, 3), unit: line.unit });
}

/** Whether a person says that it is right so. Going back is what happens when nothing is said. */
async function sure(said, go) {
  sound("warning");
  let yes = false;
  const close = (event) => event.target.closest("dialog").close();
  const back = make("button", { type: "button", class: "button main-action", onclick: close }, t("console.asking.back"));
  const dialog = await sheet(make("div", { class: "stack asking", "data-asking": true },
    make("h2", {}, t("console.asking.look")),
    make("ul", {}, ...[...said].map(([line, texts]) => make("li", {}, line && make("b", {}, line.name), ...texts.map((text) => make("span", {}, text))))),
    make("div", { class: "answers" }, back, make("button", { type: "button", class: "button", "data-sure": true, onclick: (event) => { yes = true; close(event); } }, go))));
  back.focus();
  return new Promise((resolve) => { dialog.addEventListener("close", () => resolve(yes)); });
}
