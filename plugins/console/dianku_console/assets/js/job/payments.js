import { plain } from "./exact.js";

/** Payments as a document says them, of [kind, hundredths]; what is nothing is left out. */
export const said = (payments) => payments.filter(([, amount]) => amount > 0).map(([kind, amount]) => ({ kind, amount: plain(amount, 2, { fixed: true }) }));
