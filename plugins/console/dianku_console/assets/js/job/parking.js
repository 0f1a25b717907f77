// Parked sales (挂单): a customer who went back for the milk waits here, on this device.
import { named } from "../device.js";
import { icon, make } from "../ui.js";
import { t } from "../words.js";
import { amountOf } from "./basket.js";
import { money } from "./exact.js";

const MOST = 20;

/** Keep and take back baskets beside the one being filled. */
export function parking(box, { basket, store, symbol }) {
  const name = named(`dianku.parked.${store}`);
  const read = () => { try { return JSON.parse(localStorage.getItem(name)) ?? []; } catch { return []; } };
  const write = (all) => { localStorage.setItem(name, JSON.stringify(all)); shown(); };

  function park() {
    const all = read();
    if (!basket.lines.length || all.length >= MOST) return;
    const kept = { at: Date.now(), lines: basket.lines, head: basket.head, total: basket.total };
    basket.clear();
    write([...all, kept]);
  }

  function resume(one) {
    const others = read().filter((other) => other.at !== one.at);
    if (basket.lines.length) others.push({ at: Date.now(), lines: basket.lines, head: basket.head, total: basket.total });
    basket.restore(one);
    write(others);
  }

  function shown() {
    const all = read();
    box.replaceChildren(
      ...(basket.lines.length ? [make("button", { type: "button", class: "chip", onclick: park }, icon("pause"), t("console.job.park"))] : []),
      ...all.map((one) => make("button", { type: "button", class: "chip", onclick: () => resume(one) }, icon("play"),
        t("console.job.resume", { at: new Date(one.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }), total: money(one.total, symbol) }))));
  }
  /** Park a basket that is not the one being filled. */
  const keep = ({ lines, head }) => write([...read(), { at: Date.now(), lines, head, total: lines.reduce((sum, line) => sum + (amountOf(line) ?? 0), 0) }]);
  return { shown, keep };
}
