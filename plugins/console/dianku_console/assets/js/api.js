// Asking the shop's HTTP API: who is asked in which words, from which device, once.
import { t } from "./words.js";

const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";
const DEVICE = "dianku.device";

/** A name for this browser, the same every time, that documents carry. */
export function device() {
  let name = localStorage.getItem(DEVICE);
  if (!name) localStorage.setItem(DEVICE, (name = `web-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`));
  return name;
}

/** A key that no other document has: the same one is sent again until there is an answer. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${device()}-${Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}

/** What the API refused: `problem` is its body, `status` its status; 0 when nobody answered. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || t("console.no_answer"));
    this.status = status;
    this.problem = problem ?? {};
  }
  /** What is wrong, in the words of each field; the whole's where no field is. */
  get words() { return worded(this.problem) || this.message; }
  /** Nobody answered, or will soon: what was sent may be sent again. */
  get passing() { return this.status === 0 || this.status === 429 || this.status >= 500; }
}

/** What a problem says, in the words of each field that is wrong. */
export function worded(problem) {
  return (problem.errors ?? []).map((one) => one.message).join(" ") || problem.detail || problem.title || "";
}

/**
 * Ask the API. `path` is below /api/v1. Gives `{status, body, replayed}`, throws `Refused`.
 * A `key` makes a change happen once however often it is sent.
 */
export async function api(method, path, body, { key, signal, csrf: secret = csrf } = {}) {
  const headers = { "Accept-Language": document.documentElement.lang, "X-Device": device() };
  if (method !== "GET") headers["X-CSRF-Token"] = secret;
  if (key) headers["Idempotency-Key"] = key;
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method, headers, signal, credentials: "same-origin", cache: "no-store",
      body: body === undefined || form ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, null);
  }
  const text = await answer.text();
  const told = text ? parsed(text) : null;
  if (!answer.ok) {
    if (answer.status === 401 && csrf) document.dispatchEvent(new CustomEvent("dianku:signed-out"));
    throw new Refused(answer.status, told);
  }
  return { status: answer.status, body: told, replayed: answer.headers.get("Idempotency-Replayed") === "true" };
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}
