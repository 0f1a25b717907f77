// One job: scan, count, one button. What differs between selling, receiving and writing off is `KINDS`.
import { Refused, api } from "../api.js";
import { post } from "../offline/queue.js";
import { onScan } from "../scan/scan.js";
import { which } from "../scan/which.js";
import { sound, toast } from "../ui.js";
import { takeBack } from "../undo.js";
import { t } from "../words.js";
import { asked } from "./asking.js";
import { Basket, amountOf, baseOf } from "./basket.js";
import { money, plain } from "./exact.js";
import { show } from "./lines.js";
import { parking } from "./parking.js";
import { making } from "./making.js";
import { paying } from "./paying.js";
import { exchange } from "./exchange.js";
import { leaving } from "./leaving.js";
import { photos } from "./photos.js";
import { beyond, unsaid } from "./pricing.js";
import { steady } from "./steady.js";
import { takingBack } from "./taking_back.js";

const KINDS = {
  issue: { money: true, takes: true, channel: "counter" },
  customer_return: { money: true, takes: false, channel: "counter" },
  receipt: { money: false, takes: false, asks: true, details: ["unit_cost", "lot"], head: ["supplier"] },
  transfer: { money: false, takes: true, asks: true, details: ["lot"], head: ["to_store"] },
  production: { money: false, takes: false, asks: true, details: ["lot"] },
  supplier_return: { money: false, takes: true, asks: true, details: ["unit_cost", "lot"], head: ["supplier"], bucket: true },
  write_off: { money: false, takes: true, asks: true, reason: true },
};

export function start(node) {
  const { kind: name, store, symbol, costs } = node.dataset;
  const kind = { ...KINDS[name] };
  if (kind.details && costs !== "yes") kind.details = kind.details.filter((one) => one !== "unit_cost");
  const parts = {
    list: node.querySelector("[data-lines]"), empty: node.querySelector("[data-empty]"), button: node.querySelector("[data-post]"),
    sum: node.querySelector("[data-sum]"), extra: node.querySelector("[data-extra]"),
  };
  let touched = null, sending = null;
  const basket = new Basket(`${name}.${store}`, () => shown());
  const on = {
    set: (line, values) => { touched = line.id; basket.set(line, values); },
    remove: (line) => { basket.remove(line); toast(t("console.job.removed", { name: line.name }), { undo: () => basket.back(line) }); },
    shown: () => shown(),
    anyPrice: node.dataset.prices === "yes" || name !== "issue",   // only sales are held to bounds
    price: node.dataset.prices === "yes" || name === "issue" ? (line) => { on.pricing = line.id; shown(); parts.list.querySelector("[data-new-price]")?.focus(); } : undefined,
  };

  const draw = steady(parts.list, () => show(parts.list, basket, { kind, symbol, on, touched }));
  function shown() {
    draw();
    parts.empty.hidden = basket.lines.length > 0;
    parts.button.disabled = basket.lines.length === 0;
    pay?.shown();
    trade?.shown(pay.due);
    left?.shown();
    parts.sum.textContent = kind.money ? money(Math.abs(pay?.due ?? basket.total), symbol) : t("console.job.pieces", { n: plain(basket.pieces, 3) });
    parts.extra.hidden = basket.lines.length === 0;
    for (const field of node.querySelectorAll("[data-head]")) {
      if (field.type === "radio") field.checked = basket.head[field.dataset.head] ? basket.head[field.dataset.head] === field.value : "otherwise" in field.dataset;
      else if (document.activeElement !== field) field.value = basket.head[field.dataset.head] ?? "";
    }
    park?.shown();
    made?.shown();
    shots?.shown();
  }

  async function take(code) {
    await sending;   // what is scanned meanwhile belongs to the next one
    return which(code, store, (match, several) => put(several ? { ...match, several } : match, code));
  }

  async function put(match, code) {
    const line = basket.add(match, code);
    touched = line.id;
    if (kind.details?.includes("lot") && line.tracked === undefined) {
      const { body } = await api("GET", `/products/${encodeURIComponent(match.sku)}`).catch(() => ({ body: {} }));
      line.tracked = Boolean(body.track_lots || body.shelf_life_days);
    }
    shown();
    parts.list.querySelector(".fresh")?.scrollIntoView({ block: "nearest" });
    if (line.bounds && line.open === undefined) parts.list.querySelector(".fresh .open-amount")?.focus();
    sound(kind.takes && line.available !== null && Number(line.available) < Number(line.count) ? "warning" : "known");
  }

  function body() {
    const inOrder = [...basket.lines].reverse();
    const lines = inOrder.map((line) => ({
      // A code of several goods says nothing of which: the chosen one goes by its own code, as it was shown.
      ...(line.several || line.code === line.sku ? { sku: line.sku, quantity: plain(baseOf(line), 3) } : { barcode: line.code, quantity: line.label ? "1" : line.count }),
      amount: kind.money && amountOf(line) !== null && (line.several || line.open !== undefined || line.changed !== undefined) ? plain(amountOf(line), 2, { fixed: true }) : undefined,
      unit_cost: line.unit_cost, lot: line.lot, expires_on: line.expires_on, reason: kind.reason ? basket.head.reason : undefined,
      bucket: kind.bucket && basket.head.bucket === "damaged" ? "damaged" : undefined, kept: left?.kept(line),
    }));
    return { kind: name, store, lines: made?.lines(inOrder, lines) ?? lines, ...(pay ?? back)?.body(inOrder, lines), channel: kind.channel, note: left?.note() ?? (basket.head.words?.trim() || undefined), ...Object.fromEntries((kind.head ?? []).map((one) => [one, basket.head[one] || undefined])) };
  }

  /** Once at a time, however it is pressed: a second press would be a second document. */
  function send() {
    sending ??= sent().finally(() => { sending = null; });
  }

  async function sent() {
    if (basket.lines.length === 0) return;
    for (const line of basket.lines) line.wrong = undefined;
    if (kind.reason && !basket.head.reason) { node.querySelector("[data-head='reason']").focus(); toast(t("console.job.reason_first"), { kind: "warn" }); return; }
    if (kind.money && !pricesSaid()) return;
    if (pay && !pay.ready()) return;
    if (left && !left.ready()) { toast(t("console.leaving.nothing"), { kind: "warn" }); return; }
    if (kind.head?.includes("to_store") && !basket.head.to_store) { node.querySelector("[data-head='to_store']").focus(); toast(t("console.going_on.choose_store"), { kind: "warn" }); return; }
    parts.button.setAttribute("aria-busy", "true");
    const before = snapshot(basket);
    try {
      const wanted = body();
      const sure = kind.asks ? await asked(wanted, [...basket.lines].reverse(), { symbol, go: t(`console.asking.go_${name}`) }) : [];
      if (!sure) { shown(); parts.list.querySelector(".wrong-line .count")?.focus(); return; }
      const done = trade?.back
        ? await trade.post(wanted, { key: basket.key, refund: pay.refund() })
        : await post(wanted, { label: node.dataset.title, key: basket.key });
      pay?.closing();
      basket.clear();
      told(done, before, sure);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused(error);
    } finally {
      parts.button.removeAttribute("aria-busy");
    }
  }

  /** Whether every price that is the seller's to say is said, and may be; leads to the first that is not. */
  function pricesSaid() {
    const line = basket.lines.find((one) => unsaid(one) || beyond(one, { on, symbol }));
    if (!line) return true;
    sound("warning");
    toast(t(`console.open_price.${unsaid(line) ? "first" : "beyond_first"}`), { kind: "warn" });
    parts.list.querySelectorAll(".line")[basket.lines.indexOf(line)]?.querySelector(".open-amount, .change-price")?.focus();
    return false;
  }

  function told(done, before, known) {
    shots?.end(done.state === "posted" ? done.answer.number : null, before);
    if (done.state !== "posted") { toast(t("console.job.kept"), { kind: "warn" }); return; }
    const { number, warnings } = done.answer;
    const undo = async () => {
      for (const one of [number, done.returned]) if (one && !await takeBack(one, t("console.job.undone"))) return;
      if (basket.lines.length && park) { park.keep(before); toast(t("console.job.parked_back")); return; }
      basket.restore({ lines: [...basket.lines, ...before.lines], head: { ...before.head, ...basket.head } });
      toast(t("console.job.taken_back"));
    };
    for (const warning of warnings) if (!known.includes(warning.code)) toast(warning.message, { kind: "warn", seconds: 10 });
    sound(warnings.length ? "warning" : "known");
    const said = toast(t(before.head.leave ? "console.leaving.done" : `console.job.done_${name}`, { number }), { kind: "good", undo });
    node.dispatchEvent(new CustomEvent("dianku:posted", { detail: { number, end: said } }));
    const link = node.querySelector("[data-last]");
    link.href = `/console/documents/${encodeURIComponent(number)}`;
    link.textContent = t("console.job.last", { number });
    link.hidden = false;
    pay?.receipt(node.querySelector("[data-receipt]"), link.pathname, done.returned);
  }

  function refused(error) {
    sound("warning");
    const short = new Map((error.problem.short ?? []).map((one) => [one.sku, one]));
    const inOrder = [...basket.lines].reverse();
    for (const line of basket.lines) if (short.has(line.sku)) line.wrong = t("console.job.only", { n: short.get(line.sku).available });
    const loose = [];
    for (const { pointer, message } of error.problem.errors ?? []) {
      const at = /^\/lines\/(\d+)/.exec(pointer);
      if (at && inOrder[at[1]]) inOrder[at[1]].wrong = message;
      else loose.push(message);
    }
    if (loose.length || !basket.lines.some((line) => line.wrong)) toast(loose.join(" ") || error.message, { kind: "bad", seconds: 8 });
    shown();
  }

  const trade = name === "issue" ? exchange(node.querySelector("[data-exchange]"), { basket, symbol, button: parts.button }) : null;
  const left = name === "issue" ? leaving(node, { basket, on }) : null;
  on.stays = left?.row;
  const pay = name === "issue" ? paying(node.querySelector("[data-till]"), { basket, symbol, credit: () => trade.credit }) : null;
  const back = name === "customer_return" ? takingBack(parts.extra, { basket, store, body }) : null;
  const made = name === "production" ? making(node.querySelector("[data-making]"), { basket, body, today: node.dataset.today }) : null;
  const park = name === "issue" ? parking(node.querySelector("[data-parking]"), { basket, store, symbol }) : null;
  const shots = name === "write_off" ? photos(node.querySelector("[data-photos]"), { basket }) : null;
  node.addEventListener("change", (event) => {
    const head = event.target.dataset.head;
    if (head) basket.setHead({ [head]: event.target.value });
  });
  node.addEventListener("click", (event) => {
    const quick = event.target.closest("[data-quick]");
    if (quick) take(quick.dataset.quick);
  });
  parts.button.addEventListener("click", send);
  onScan(take);
  shown();
  const scan = new URLSearchParams(location.search).get("scan");
  if (scan) { history.replaceState(null, "", location.pathname); take(scan); }
}

function snapshot(basket) {
  return JSON.parse(JSON.stringify({ lines: basket.lines, head: basket.head }));
}
