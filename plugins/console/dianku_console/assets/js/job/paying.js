// How a sale is paid: one kind by one tap, which this device remembers; several kinds, the change of
// cash and rounding down behind more. It never has to be touched: an unnamed kind is sent as unnamed.
import { named } from "../device.js";
import { make, toast } from "../ui.js";
import { t } from "../words.js";
import { amountOf } from "./basket.js";
import { fen, money, plain } from "./exact.js";
import { said } from "./payments.js";
import { off, shares } from "./rounding.js";

const REMEMBERED = named("dianku.pay");
const NOTES = [1000, 2000, 5000, 10000];

/**
 * The paying part of a sale's page. `basket.head.pay` keeps what belongs to this sale: `{round, parts}`;
 * `credit` is what goods that come back pay of it, in hundredths. What is due is less than nothing where
 * they are worth more: that much is paid back.
 */
export function paying(box, { basket, symbol, credit }) {
  const chips = [...box.querySelectorAll("[data-pay-kind]")];
  const kinds = chips.map((each) => each.dataset.payKind);
  const more = box.querySelector("[data-pay-more]");
  const mix = box.querySelector("[data-pay-mix]");
  let kind = kinds.find((one) => one === localStorage.getItem(REMEMBERED)) ?? null;
  let handOver = () => {};
  let received = "", open = false, told = "", drawn = "", printed = "";

  const of = () => basket.head.pay ?? {};
  const set = (values) => basket.setHead({ pay: { ...of(), ...values } });
  const payable = () => basket.total - credit();
  const letOff = () => off(payable(), of().round);
  const due = () => payable() - letOff();
  const parts = () => due() <= 0 ? [] : Object.entries(of().parts ?? {}).filter(([name]) => name !== kind).map(([name, text]) => [name, fen(text) ?? 0]).filter(([, amount]) => amount > 0);
  const rest = () => due() - parts().reduce((sum, [, amount]) => sum + amount, 0);

  function choose(name) {
    kind = kind === name ? null : name;
    if (kind) localStorage.setItem(REMEMBERED, kind);
    else localStorage.removeItem(REMEMBERED);
    shown();
  }

  /** Notes a customer may hand over: the usual ones that suffice. */
  const notes = () => NOTES.filter((note) => note > due()).slice(0, 3);

  function field(name, value, on) {
    const input = make("input", { class: "input", inputmode: "decimal", autocomplete: "off", value, name });
    input.addEventListener("input", () => on(input.value));
    return input;
  }

  function roundChips() {
    return Object.entries({ jiao: 10, yuan: 100 }).map(([to, step]) => ({ to, step }))
      .filter(({ to, step }) => payable() > 0 && (of().round === to || (payable() % step && payable() > step && !(to === "yuan" && payable() % 100 === payable() % 10))))
      .map(({ to }) => make("button", { type: "button", class: "chip", "aria-pressed": String(of().round === to), "data-round": to, onclick: () => { received = ""; set({ round: of().round === to ? undefined : to }); } },
        t(`console.till.round_${to}`, { sum: money(payable() - off(payable(), to), symbol) })));
  }

  function cash() {
    if (kind !== "cash" || open || due() <= 0) return [];
    const input = field("received", received, (text) => { received = text; change.replaceChildren(...changeSaid()); });
    const change = make("output", { class: "change" }, ...changeSaid());
    input.placeholder = t("console.till.received");
    input.setAttribute("aria-label", t("console.till.received"));
    handOver = (note) => { received = plain(note, 2); input.value = received; change.replaceChildren(...changeSaid()); };
    return [make("div", { class: "received" }, input, change)];
  }

  function noteChips() {
    return kind !== "cash" || open || due() <= 0 ? [] : notes().map((note) => make("button", { type: "button", class: "chip", "data-note": note, onclick: () => handOver(note) }, money(note, symbol)));
  }

  function changeSaid() {
    const given = fen(received);
    if (given === null || given <= 0) return [];
    if (given < rest()) return [make("span", { class: "short-paid" }, t("console.till.short", { sum: money(rest() - given, symbol) }))];
    return [make("span", {}, t("console.till.change")), make("b", {}, money(given - rest(), symbol))];
  }

  function mixed() {
    if (!open || due() <= 0) return [];
    const left = make("output", { class: "rest" }, restSaid());
    const fields = kinds.filter((name) => name !== kind).map((name) => make("label", {}, make("span", {}, t(`console.till.pay.${name}`)),
      field(`part-${name}`, of().parts?.[name] ?? "", (text) => { basket.head.pay = { ...of(), parts: { ...of().parts, [name]: text } }; left.textContent = restSaid(); })));
    for (const each of fields) each.querySelector("input").addEventListener("change", () => basket.setHead({}));
    return [make("div", { class: "parts" }, ...fields), left];
  }

  function restSaid() {
    if (!kind) return t("console.till.kind_first");
    if (rest() < 0) return t("console.till.too_much", { sum: money(-rest(), symbol) });
    return t("console.till.rest", { kind: t(`console.till.pay.${kind}`), sum: money(rest(), symbol) });
  }

  function shown() {
    if (!basket.lines.length) { open = false; received = ""; delete basket.head.pay; }
    else told = "";
    for (const each of chips) each.setAttribute("aria-pressed", String(each.dataset.payKind === kind));
    mix.setAttribute("aria-pressed", String(open));
    mix.disabled = !basket.lines.length || due() <= 0;
    // Who is typing a sum keeps the field: what is drawn anew would take it from under the finger.
    const now = JSON.stringify([basket.lines.length > 0, basket.total, credit(), kind, open, of().round, told]);
    if (now === drawn) return;
    drawn = now;
    const offers = basket.lines.length ? [...noteChips(), ...roundChips()] : [];
    more.replaceChildren(...(basket.lines.length
      ? [...mixed(), ...cash(), ...(offers.length ? [make("div", { class: "chips" }, ...offers)] : [])]
      : told ? [make("p", { class: "change last-change" }, make("span", {}, t("console.till.change")), make("b", {}, told))] : []));
    more.hidden = !more.childElementCount;
  }

  /** Whether it can be sent; says what is wrong where not. */
  function ready() {
    // What an exchange leaves to pay, or to pay back, has a kind beside that of the exchange.
    const open = credit() > 0 && due() !== 0 && !kind;
    if (!open && (!parts().length || (kind && rest() >= 0))) return true;
    toast(open && due() < 0 ? t("console.exchange.kind_first") : restSaid(), { kind: "warn" });
    return false;
  }

  /** What a sale's body says of it: the payments, and what each line was sold for, in the lines' order. */
  function body(inOrder, lines) {
    if (!kind && !letOff() && !credit()) return { lines };
    const amounts = inOrder.map((line) => amountOf(line) ?? 0);
    const less = letOff() ? shares(letOff(), amounts) : amounts.map(() => 0);
    const payments = [["exchange", traded()], ...parts(), ...(kind && rest() > 0 ? [[kind, rest()]] : [])];
    return {
      lines: lines.map((line, at) => ({ ...line, amount: plain(amounts[at] - less[at], 2, { fixed: true }) })),
      payments: (kind || credit()) && said(payments).length ? said(payments) : undefined,
    };
  }

  /** What of the sale is paid by goods that come back. */
  const traded = () => Math.min(credit(), basket.total);

  /** How those goods are paid for: by what goes out, and what is left over by the kind that was chosen. */
  const refund = () => [["exchange", traded()], [kind, -due()]];

  /** The sale is over: its change stays to be read until the next one begins. Before the basket is emptied. */
  function closing() {
    const given = kind === "cash" ? fen(received) : null;
    told = given !== null && given > rest() ? money(given - rest(), symbol) : "";
    printed = new URLSearchParams({ received: plain(given ?? 0, 2), off: plain(letOff(), 2) });
  }

  /** Lead to the receipt of what was just posted, with what only the till knows. */
  function receipt(link, document, returned) {
    if (returned) printed.set("returned", returned);
    link.href = `${document}/receipt?${printed}`;
    link.hidden = false;
  }

  box.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-pay-kind]");
    if (chosen) choose(chosen.dataset.payKind);
    if (event.target.closest("[data-pay-mix]")) { open = !open; if (!open) set({ parts: undefined }); shown(); }
  });
  return { shown, ready, body, refund, closing, receipt, get due() { return due(); } };
}
