// Exact sums in a browser: quantities in thousandths, money in hundredths, as whole numbers.

/** The whole number of 10^-digits in a decimal string, half up; null where it is none. */
export function scaled(text, digits) {
  const found = /^\s*([+-]?)(\d{0,12})(?:[.。](\d*))?\s*$/.exec(String(text ?? ""));
  if (!found || (!found[2] && !found[3])) return null;
  const rest = (found[3] ?? "").padEnd(digits + 1, "0");
  const whole = Number(found[2] || "0") * 10 ** digits + Number(rest.slice(0, digits) || "0") + (Number(rest[digits]) >= 5 ? 1 : 0);
  return found[1] === "-" ? -whole : whole;
}

/** A whole number of 10^-digits as a decimal string, without needless zeros unless `fixed`. */
export function plain(value, digits, { fixed = false } = {}) {
  const sign = value < 0 ? "-" : "";
  const whole = Math.floor(Math.abs(value) / 10 ** digits);
  const rest = String(Math.abs(value) % 10 ** digits).padStart(digits, "0");
  const kept = fixed ? rest : rest.replace(/0+$/, "");
  return `${sign}${whole}${kept ? `.${kept}` : ""}`;
}

export const quantity = (text) => scaled(text, 3);
export const fen = (text) => scaled(text, 2);

/** Money as it is written here: "¥12.50". */
export function money(hundredths, symbol) {
  if (hundredths === null) return "–";
  const text = plain(Math.abs(hundredths), 2, { fixed: true }).replace(/\B(?=(\d{3})+(?=\.))/g, ",");
  return `${hundredths < 0 ? "−" : ""}${symbol}${text}`;
}

/** What so much (thousandths) at a price (hundredths) comes to, half up, in hundredths. */
export function times(amount, price) {
  return Math.floor((amount * price + 500) / 1000);
}
