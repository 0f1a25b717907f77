// What is paid back for a part of a sold line: its share of what was really paid, as the shop reckons it.
import { fen, quantity } from "../job/exact.js";

const half = (total, part, whole) => (2n * total * part + whole) / (2n * whole);

/**
 * The hundredths for `count` thousandths more that come back of a line `{amount, quantity, done}`: the
 * difference of two shares from the beginning, so that all parts together are what was paid, exactly.
 */
export function refundOf({ amount, quantity: sold, done }, count) {
  const paid = BigInt(fen(amount) ?? 0), whole = BigInt(quantity(sold)), before = BigInt(quantity(done));
  if (whole === 0n) return 0;
  return Number(half(paid, before + BigInt(count), whole) - half(paid, before, whole));
}
