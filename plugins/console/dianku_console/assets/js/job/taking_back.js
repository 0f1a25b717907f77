// Goods that come back without their sale: where they go, and how they are paid for.
import { t } from "../words.js";
import { amountOf, baseOf } from "./basket.js";
import { plain } from "./exact.js";
import { takeOver } from "./exchange.js";
import { said } from "./payments.js";

/** The part of such a return beside its lines; `body` is the whole of it as it would be posted. */
export function takingBack(box, { basket, store, body }) {
  const button = box.querySelector("[data-trade]");

  function more(inOrder, lines) {
    return {
      lines: lines.map((line, at) => ({ ...line, amount: plain(amountOf(inOrder[at]) ?? 0, 2, { fixed: true }), disposition: basket.head.disposition || undefined })),
      payments: basket.head.payment && basket.total > 0 ? said([[basket.head.payment, basket.total]]) : undefined,
    };
  }

  button.addEventListener("click", () => {
    if (!basket.lines.length) return;
    const rows = [...basket.lines].reverse().map((line) => ({ name: line.name, text: t("console.exchange.pieces", { n: plain(baseOf(line), 3), unit: line.unit }), amount: amountOf(line) ?? 0 }));
    const back = { body: body(), rows, total: basket.total };
    basket.clear();
    takeOver(store, back);
  });
  return { body: more };
}
