// A kept document with other quantities: what was said of money follows, or the shop would refuse it again.
import { fen, plain, scaled } from "../job/exact.js";

/** The body with these quantities, one for each line; lines of nothing are left out. */
export function mended(body, quantities) {
  const lines = body.lines.map((line, at) => withQuantity(line, quantities[at])).filter((line) => line.quantity !== "" && Number(line.quantity) !== 0);
  if (!body.payments) return { ...body, lines };
  const total = lines.reduce((sum, line) => sum + (fen(line.amount) ?? 0), 0);
  const paid = body.payments.reduce((sum, one) => sum + fen(one.amount), 0);
  if (total === paid) return { ...body, lines };
  // One kind pays what it comes to now; of several nobody knows which one changed.
  const payments = body.payments.length === 1 && total > 0 ? [{ ...body.payments[0], amount: plain(total, 2, { fixed: true }) }] : undefined;
  return { ...body, lines, payments };
}

function withQuantity(line, quantity) {
  const [before, now] = [scaled(line.quantity, 3), scaled(quantity, 3)];
  if (line.kept !== undefined) line = { ...line, kept: keptOf(line.kept, { before, now }) };
  if (before === now || line.amount === undefined || !before || now === null) return { ...line, quantity };
  const amount = (BigInt(fen(line.amount)) * BigInt(now) * 2n + BigInt(before)) / (2n * BigInt(before));
  return { ...line, quantity, amount: plain(Number(amount), 2, { fixed: true }) };
}

/**
 * What of a line stays in the shop when its quantity is another: no more than is sold. It is told in base units and
 * the quantity in packs, which may be of any size from one up: so much is sold in either case.
 */
function keptOf(kept, { before, now }) {
  const steps = scaled(kept, 3);
  if (!steps || !before || now === null || now >= before) return kept;
  const whole = steps % 1000 === 0 ? 1000 : 1;
  const share = Number(BigInt(steps) * BigInt(now) / BigInt(before) / BigInt(whole)) * whole;
  return plain(Math.max(share, Math.min(steps, now)), 3);
}
