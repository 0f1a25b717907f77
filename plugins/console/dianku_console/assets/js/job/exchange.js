// An exchange (换货): what comes back pays for what goes out, and the two are posted as one or not at all.
import { Refused, api, worded } from "../api.js";
import { make } from "../ui.js";
import { t } from "../words.js";
import { Basket } from "./basket.js";
import { money } from "./exact.js";
import { said } from "./payments.js";

/**
 * Take goods that come back over to the sale being made in a store.
 *
 * `back` is `{body, rows, total}`: the return as it is posted but for its payments, its goods as they are
 * shown (`{name, text, amount}`), and what they are worth, in hundredths.
 */
export function takeOver(store, back) {
  new Basket(`issue.${store}`, () => {}).setHead({ back, pay: undefined });
  location.assign("/console/sell");
}

/** What comes back, beside the sale it pays for. */
export function exchange(box, { basket, symbol, button }) {
  const label = button.querySelector("span");
  const usual = label.textContent;
  const back = () => basket.head.back ?? null;

  function shown(due) {
    box.hidden = !back();
    label.textContent = due < 0 ? t("console.exchange.pay_back") : usual;
    box.replaceChildren(...(back() ? [
      make("div", { class: "row apart" }, make("b", {}, t("console.exchange.comes_back")),
        make("button", { type: "button", class: "button quiet", "data-no-exchange": true, onclick: () => basket.setHead({ back: undefined }) }, t("console.exchange.leave"))),
      make("ul", {}, ...back().rows.map((row) => make("li", {}, make("span", {}, `${row.name} ${row.text}`), make("span", { class: "amount" }, money(-row.amount, symbol))))),
      basket.lines.length ? null : make("p", { class: "quiet-text" }, t("console.exchange.scan_new")),
    ].filter(Boolean) : []));
  }

  /** Post the return and the sale; gives what posting the sale alone would, and `returned`, the return's number. */
  async function post(sale, { key, refund }) {
    const documents = [{ ...back().body, payments: said(refund), key: `${key}-back` }, { ...sale, key }];
    const { body } = await api("POST", "/documents/batch", { documents, together: true });
    const [returned, sold] = body.results;
    // The lines on the page are the sale's: what is wrong with the return is said in words alone.
    if (returned.status === "refused" && returned.problem.code !== "not_posted_alone") throw new Refused(returned.problem.status, { detail: worded(returned.problem) });
    if (sold.status === "refused") throw new Refused(sold.problem.status, sold.problem);
    const { warnings } = await api("GET", `/documents/${encodeURIComponent(sold.number)}`).then((answer) => answer.body, () => ({ warnings: [] }));
    return { state: "posted", answer: { number: sold.number, warnings }, returned: returned.number, key };
  }

  return { shown, post, get back() { return back(); }, get credit() { return back()?.total ?? 0; } };
}
