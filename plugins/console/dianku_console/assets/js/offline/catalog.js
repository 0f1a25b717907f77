// What a code stands for, asked of the shop.
import { api } from "../api.js";

/** The matches of a code in a store, as `GET /scan/{code}` answers them. */
export async function lookUp(code, store) {
  const query = store ? `?store=${encodeURIComponent(store)}` : "";
  return (await api("GET", `/scan/${encodeURIComponent(code)}${query}`)).body;
}
