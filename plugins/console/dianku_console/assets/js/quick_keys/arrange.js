// Arranging the keys at the counter: goods by scan, order by touch or keyboard. Each change is kept at once.
import { api } from "../api.js";
import { fen, money } from "../job/exact.js";
import { onScan } from "../scan/scan.js";
import { which } from "../scan/which.js";
import { complain, icon, make, sound, toast } from "../ui.js";
import { t } from "../words.js";

const COLOURS = 7;   // with the one that is none
const MOST = 60;

export function start(node) {
  const { store, symbol } = node.dataset;
  const rows = node.querySelector("[data-rows]");
  let { items: keys, chosen } = JSON.parse(node.dataset.keys);
  let kept = { keys, chosen }, last = 0, sending = Promise.resolve(), fresh = null;

  function draw() {
    rows.replaceChildren(...keys.map(row));
    node.querySelector("[data-empty]").hidden = keys.length > 0;
    node.querySelector("[data-whose]").textContent = t(`console.quick_keys.${store ? chosen === "shop" ? "shops_here" : "stores" : "shops"}`);
  }

  function row(key, at) {
    const by = { name: key.name };
    const price = key.price === null ? null : make("span", { class: "small-text" }, money(fen(key.price), symbol));
    return make("li", { class: `line${key.sku === fresh ? " fresh" : ""}`, "data-sku": key.sku },
      make("button", { type: "button", class: "colour", "data-colour": key.colour, "aria-label": t("console.quick_keys.colour_of", { ...by, colour: t(`console.quick_keys.colour_${key.colour}`) }), onclick: () => change(at, { colour: (key.colour + 1) % COLOURS }, "colour") }),
      make("div", { class: "about" }, make("b", {}, key.name), make("span", { class: "under" }, key.spec ? make("span", { class: "small-text" }, key.spec) : null, price,
        key.archived && make("span", { class: "badge warn" }, icon("triangle-alert"), t("console.quick_keys.archived")))),
      make("div", { class: "doing" },
        button("up", "chevron-down", t("console.quick_keys.earlier", by), at === 0, () => move(at, -1)),
        button("down", "chevron-down", t("console.quick_keys.later", by), at === keys.length - 1, () => move(at, 1)),
        button("remove", "x", t("console.quick_keys.remove", by), false, () => remove(at))));
  }

  function button(name, picture, label, disabled, onclick) {
    return make("button", { type: "button", class: `icon-button ${name}`, "aria-label": label, disabled, onclick }, icon(picture));
  }

  /** Show a change at once and keep it; changes go one after the other, and one that is refused is shown as it was. */
  function keep(next) {
    keys = next;
    draw();
    const mine = ++last;
    const body = { store: store || null, keys: next.map(({ sku, colour }) => ({ sku, colour })) };
    sending = sending.then(async () => {
      try {
        const { body: told } = await api("PUT", "/quick-keys", body);
        kept = { keys: told.items, chosen: told.chosen };
      } catch (error) {
        complain(error);
      }
      if (mine !== last) return;   // another change came meanwhile
      const shown = JSON.stringify({ keys, chosen });
      ({ keys, chosen } = kept);
      if (JSON.stringify({ keys, chosen }) !== shown) redraw();
    });
  }

  /** Draw anew and leave the focus on the button it was on. */
  function redraw() {
    const held = document.activeElement?.closest?.("[data-rows] button");
    const [sku, name] = held ? [held.closest("[data-sku]").dataset.sku, [...held.classList].at(-1)] : [];
    draw();
    if (held) focus(sku, name);
  }

  function focus(sku, ...names) {
    const line = [...rows.children].find((one) => one.dataset.sku === sku);
    for (const name of names) {
      const found = line?.querySelector(`.${name}:not(:disabled)`);
      if (found) { found.focus(); return; }
    }
  }

  function change(at, values, name) {
    const { sku } = keys[at];
    keep(keys.map((key, place) => (place === at ? { ...key, ...values } : key)));
    focus(sku, name);
  }

  function move(at, by) {
    const next = [...keys];
    const [key] = next.splice(at, 1);
    next.splice(at + by, 0, key);
    fresh = key.sku;
    keep(next);
    focus(key.sku, by < 0 ? "up" : "down", by < 0 ? "down" : "up");
    tell(t("console.quick_keys.now", { name: key.name, n: at + by + 1 }));
  }

  function remove(at) {
    const key = keys[at];
    keep(keys.filter((one) => one !== key));
    const next = rows.children[Math.min(at, rows.children.length - 1)];
    next?.querySelector(".remove").focus();
    toast(t("console.quick_keys.removed", { name: key.name }), { undo: () => keep([...keys.slice(0, at), key, ...keys.slice(at)]) });
  }

  function tell(text) {
    node.querySelector("[data-told]").textContent = text;
  }

  function add({ sku, name, spec }) {
    fresh = sku;
    if (keys.some((key) => key.sku === sku)) { sound("warning"); draw(); toast(t("console.quick_keys.there", { name }), { kind: "warn" }); } else if (keys.length >= MOST) { sound("warning"); toast(t("console.quick_keys.most", { n: MOST }), { kind: "warn" }); } else {
      sound("known");
      keep([...keys, { sku, name, spec, price: null, colour: 0, archived: false }]);
    }
    rows.querySelector(".fresh")?.scrollIntoView({ block: "nearest" });
  }

  onScan((code) => which(code, store, add));
  draw();
}
