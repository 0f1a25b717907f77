// Which sale goods come back of: its receipt is scanned, or the goods themselves.
import { onScan } from "../scan/scan.js";

const NUMBER = /^[A-Z]{2,4}\d{6}-\d{4,}$/i;

export function start() {
  onScan((code) => {
    location.assign(NUMBER.test(code) ? `/console/documents/${encodeURIComponent(code.toUpperCase())}/return` : `/console/return?code=${encodeURIComponent(code)}`);
    return true;
  });
}
