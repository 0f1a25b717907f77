// Rounding down (抹零): what is let off is shared over the lines to the last hundredth, so that what the
// lines come to is what was paid.

export const STEPS = { jiao: 10, yuan: 100 };

/** What is let off a total, in hundredths; nothing where that would leave nothing to pay. */
export function off(total, to) {
  const step = STEPS[to];
  return !step || total < step ? 0 : total % step;
}

/** Share a whole number by weights of which one is positive: by largest remainder, the first of equals. */
export function shares(whole, weights) {
  const sum = weights.reduce((a, b) => a + BigInt(b), 0n);
  const exact = weights.map((weight) => BigInt(whole) * BigInt(weight));
  const parts = exact.map((one) => Number(one / sum));
  const rests = exact.map((one, at) => ({ at, rest: one % sum }))
    .sort((a, b) => (a.rest === b.rest ? a.at - b.at : a.rest < b.rest ? 1 : -1));
  const left = whole - parts.reduce((a, b) => a + b, 0);
  for (const { at } of rests.slice(0, left)) parts[at] += 1;
  return parts;
}
