// What a job holds so far: lines, kept on the device until they are posted, so that a page that is
// closed by accident or a phone that rings loses nothing.
import { newKey } from "../api.js";
import { named } from "../device.js";
import { plain, quantity, times, fen } from "./exact.js";

/** The lines of one job in one store. `changed` is called after each change. */
export class Basket {
  constructor(name, changed) {
    this.name = named(`dianku.job.${name}`);
    this.changed = changed;
    const kept = read(this.name);
    this.lines = kept?.lines ?? [];
    this.head = kept?.head ?? {};
    this.next = kept?.next ?? 1;
    this.kept = kept?.key ?? null;
  }

  /** The key this basket is posted under, the same until it is empty: a page that dies meanwhile posts nothing twice. */
  get key() {
    if (!this.kept) { this.kept = newKey(); this.#keep(); }
    return this.kept;
  }

  /** Take in what was scanned: one more of a line that is alike, else a new line, on top. */
  add(match, code) {
    const label = match.quantity !== null && match.quantity !== undefined;
    const same = this.lines.find((line) => !label && !line.label && line.code === code && line.sku === match.sku);
    if (same) {
      same.count = plain(quantity(same.count) + 1000, 3);
      this.lines = [same, ...this.lines.filter((line) => line !== same)];
      this.#keep();
      return same;
    }
    const line = {
      id: this.next++, code, sku: match.sku, name: match.name, spec: match.spec, unit: match.unit,
      factor: match.factor ?? 1, price: match.price, bounds: match.open_price ?? undefined, label: label ? { quantity: match.quantity, amount: match.amount } : null,
      available: match.stock?.available ?? null, several: match.several ?? false, count: "1",
      lot: match.lot ?? undefined, made_on: match.made_on ?? undefined, expires_on: match.expires_on ?? undefined,
      composition: match.composition,
    };
    this.lines.unshift(line);
    this.#keep();
    return line;
  }

  set(line, values) {
    Object.assign(line, values);
    if ((quantity(line.count) ?? 0) <= 0) this.remove(line);
    else this.#keep();
  }

  remove(line) {
    this.lines = this.lines.filter((one) => one !== line);
    this.#keep();
  }

  setHead(values) {
    Object.assign(this.head, values);
    this.#keep();
  }

  clear() {
    [this.lines, this.head, this.kept] = [[], {}, null];
    this.#keep();
  }

  /** Put a line back that was taken out, beside what came since. */
  back(line) {
    if (!this.lines.includes(line)) this.lines.unshift(line);
    this.#keep();
  }

  /** Put back what was taken out, a parked basket say, in the place of what is here. */
  restore({ lines, head }) {
    [this.lines, this.head, this.kept] = [lines, head ?? {}, null];
    this.next = Math.max(0, ...lines.map((line) => line.id)) + 1;
    this.#keep();
  }

  get total() {
    return this.lines.reduce((sum, line) => sum + (amountOf(line) ?? 0), 0);
  }

  get pieces() {
    return this.lines.reduce((sum, line) => sum + baseOf(line), 0);
  }

  #keep() {
    if (this.lines.length || Object.keys(this.head).length) localStorage.setItem(this.name, JSON.stringify({ lines: this.lines, head: this.head, next: this.next, key: this.kept }));
    else localStorage.removeItem(this.name);
    this.changed(this);
  }
}

/** What a line comes to in hundredths, at its price or the one typed for it; null where nobody knows one. */
export function amountOf(line) {
  if (line.changed === undefined) return listed(line);
  return line.label ? fen(line.changed) : times(quantity(line.count), fen(line.changed));
}

/** What a line comes to by the list, or by the price typed for goods that have none. */
export function listed(line) {
  if (line.label?.amount) return fen(line.label.amount);
  const price = fen(line.price ?? line.open ?? "");
  if (price === null) return null;
  return times(line.label ? quantity(line.label.quantity) : quantity(line.count), price);
}

/** How many base units a line is, in thousandths. */
export function baseOf(line) {
  if (line.label) return quantity(line.label.quantity);
  return quantity(line.count) * line.factor;
}

function read(name) {
  try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
}
