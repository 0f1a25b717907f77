// Taking back a document that was just posted: what "undo" does, wherever it is offered.
import { Refused, api, newKey } from "./api.js";
import { toast } from "./ui.js";

/** Reverse a document, with the reason that stands in the books; says why where that is refused. */
export async function takeBack(number, reason) {
  try {
    await api("POST", `/documents/${encodeURIComponent(number)}/reverse`, { reason }, { key: newKey() });
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.message, { kind: "bad" });
    return false;
  }
}
