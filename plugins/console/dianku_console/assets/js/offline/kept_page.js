// What is kept on this phone, line by line: since when, what the shop said, and what one can do.
import { make, toast } from "../ui.js";
import { t } from "../words.js";
import { mended } from "./mended.js";
import { adopt, again, giveUp, kept, mayGiveUp, sendNow, takeBack } from "./queue.js";
import { ofPage } from "./session.js";

const SHOWN = 200;   // rows; the rest is counted below

export function start(node) {
  const part = (name) => node.querySelector(`[data-${name}]`);
  const me = ofPage().person;
  let mending = null;

  async function shown() {
    if (mending?.isConnected) return;   // somebody is typing here
    const entries = await kept();
    const of = (state, mine) => entries.filter((one) => one.state === state && (mine === undefined || (one.who === me) === mine));
    fill("refused", of("refused", true));
    fill("waiting", of("waiting", true));
    fill("others", [...of("refused", false), ...of("waiting", false)]);
    fill("given-up", of("given_up", true));
    part("nothing").hidden = entries.some((one) => one.state !== "given_up");
    part("send").disabled = of("waiting", true).length === 0;
    node.dataset.shown = String(entries.length);
  }

  function fill(name, entries) {
    const box = part(name);
    box.hidden = entries.length === 0;
    box.querySelector("ul").replaceChildren(...entries.slice(0, SHOWN).map(row));
    box.querySelector("[data-count]").textContent = String(entries.length);
    box.querySelector("[data-more]").hidden = entries.length <= SHOWN;
  }

  function row(entry) {
    const mine = entry.who === me;
    const said = make("li", { "data-key": entry.key },
      make("div", { class: "head" }, make("b", {}, entry.label || t("console.offline.document")), make("time", { class: "quiet-text", datetime: new Date(entry.at).toISOString() }, when(entry.at))),
      mine ? make("p", { class: "goods" }, goods(entry)) : make("p", { class: "goods" }, t("console.offline.of", { name: entry.who })),
    );
    if (entry.state === "refused") said.append(make("p", { class: "note bad", role: "note" }, make("div", {}, why(entry.problem))));
    else if (entry.state === "waiting" && entry.tries > 0) said.append(make("p", { class: "small-text" }, t("console.offline.unsure")));
    said.append(make("div", { class: "row" }, ...buttons(entry, mine, said)));
    return said;
  }

  function buttons(entry, mine, home) {
    const button = (word, act, kind = "") => make("button", { type: "button", class: `button small ${kind}`.trim(), onclick: act }, t(`console.offline.${word}`));
    if (entry.state === "given_up") return [button("take_back", async () => { await takeBack(entry.key); sendNow(); })];
    if (!mine) return [button("adopt", () => adopt(entry.key))];
    const all = [];
    if (entry.state === "refused") {
      all.push(button("again", () => again(entry.key)));
      if (entry.body.lines?.some((line) => line.quantity !== undefined)) all.push(button("mend", () => mend(entry, home)));
    }
    if (mayGiveUp(entry)) all.push(button("give_up", () => part_with(entry), "danger"));
    return all;
  }

  async function part_with(entry) {
    if (!(await giveUp(entry.key))) { toast(t("console.offline.too_late"), { kind: "warn" }); return; }
    toast(t("console.offline.given_up"), { undo: async () => { await takeBack(entry.key); sendNow(); } });
  }

  function mend(entry, home) {
    const fields = entry.body.lines.map((line) => make("input", { class: "input", inputmode: "decimal", autocomplete: "off", value: line.quantity, "aria-label": t("console.offline.quantity_of", { name: line.sku ?? line.barcode ?? "" }) }));
    mending = make("form", {
      class: "mend", onsubmit: (event) => {
        event.preventDefault();
        const body = mended(entry.body, fields.map((field) => field.value.trim()));
        mending = null;
        if (body.lines.length) again(entry.key, body);
        else part_with(entry);
      },
    },
    ...entry.body.lines.map((line, at) => make("label", { class: "line" }, make("span", {}, line.sku ?? line.barcode ?? ""), fields[at])),
    make("button", { type: "submit", class: "button main-action" }, t("console.offline.send_mended")));
    home.querySelector(".row").replaceWith(mending);
    fields[0].focus();
    fields[0].select();
  }

  part("send").addEventListener("click", async (event) => {
    event.target.setAttribute("aria-busy", "true");
    const taken = await sendNow().catch(() => 0);
    event.target.removeAttribute("aria-busy");
    if (taken) toast(t("console.offline.sent", { n: taken }), { kind: "good" });
    else if ((await kept()).some((one) => one.state === "waiting" && one.who === me)) toast(t("console.offline.no_answer"), { kind: "warn" });
  });
  document.addEventListener("dianku:kept", shown);
  shown();
}

const when = (at) => new Intl.DateTimeFormat(document.documentElement.lang, { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(at);

function goods({ body }) {
  const lines = (body.lines ?? [body]).map((line) => `${line.sku ?? line.barcode ?? ""} × ${line.quantity ?? line.counted ?? line.delta ?? ""}`);
  return lines.length > 4 ? `${lines.slice(0, 4).join(" · ")} · ${t("console.offline.more_lines", { n: lines.length - 4 })}` : lines.join(" · ");
}

/** What the shop said, with every field it found wrong. */
function why(problem) {
  const wrong = (problem?.errors ?? []).map((one) => one.message);
  return [problem?.detail ?? problem?.title ?? t("console.offline.refused_for_nothing"), ...wrong].join(" ");
}
