// What a job holds so far: lines, kept on the device until they are posted, so that a page that is
// closed by accident or a phone that rings loses nothing.
import { plain, quantity, times, fen } from "./exact.js";

/** The lines of one job in one store. `changed` is called after each change. */
export class Basket {
  constructor(name, changed) {
    this.name = `dianku.job.${name}`;
    this.changed = changed;
    const kept = read(this.name);
    this.lines = kept?.lines ?? [];
    this.head = kept?.head ?? {};
    this.next = kept?.next ?? 1;
  }

  /** Take in what was scanned: one more of a line that is alike, else a new line, on top. */
  add(match, code, { alone = false } = {}) {
    const label = match.quantity !== null && match.quantity !== undefined;
    const same = this.lines.find((line) => !label && !alone && line.code === code && line.sku === match.sku && !line.own);
    if (same) {
      same.count = plain(quantity(same.count) + 1000, 3);
      this.lines = [same, ...this.lines.filter((line) => line !== same)];
      this.#keep();
      return same;
    }
    const line = {
      id: this.next++, code, sku: match.sku, name: match.name, spec: match.spec, unit: match.unit,
      factor: match.factor ?? 1, price: match.price, label: label ? { quantity: match.quantity, amount: match.amount } : null,
      available: match.stock?.available ?? null, several: match.several ?? false, count: "1",
      lot: match.lot ?? undefined, made_on: match.made_on ?? undefined, expires_on: match.expires_on ?? undefined,
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
    [this.lines, this.head] = [[], {}];
    this.#keep();
  }

  /** Put back what was taken out, a parked basket say. */
  restore({ lines, head }) {
    [this.lines, this.head] = [lines, head ?? {}];
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
    if (this.lines.length || Object.keys(this.head).length) localStorage.setItem(this.name, JSON.stringify({ lines: this.lines, head: this.head, next: this.next }));
    else localStorage.removeItem(this.name);
    this.changed(this);
  }
}

/** What a line comes to in hundredths; null where nobody knows a price. */
export function amountOf(line) {
  if (line.amount !== undefined) return fen(line.amount);
  if (line.label?.amount) return fen(line.label.amount);
  if (line.price === null || line.price === undefined) return null;
  return times(line.label ? quantity(line.label.quantity) : quantity(line.count), fen(line.price));
}

/** How many base units a line is, in thousandths. */
export function baseOf(line) {
  if (line.label) return quantity(line.label.quantity);
  return quantity(line.count) * line.factor;
}

function read(name) {
  try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
}
