// The page of one product: its stock set right in a sheet, taken from sale and put back.
import { Refused, api, newKey } from "../api.js";
import { sheet, toast } from "../ui.js";
import { t } from "../words.js";
import { listen } from "./right.js";

export function start(page) {
  page.querySelector("[data-right]")?.addEventListener("click", async (event) => {
    const dialog = await sheet(event.currentTarget.dataset.right);
    const form = dialog.querySelector("[data-right-form] form");
    if (form) listen(form, () => { refresh("figures"); refresh("card"); });
    dialog.querySelector("[autofocus]")?.focus();
  });
  page.querySelector("[data-archive]")?.addEventListener("click", (event) => {
    archive(page.dataset.address, event.currentTarget.dataset.archive);
  });
  const kept = sessionStorage.getItem("dianku.goods.did");
  sessionStorage.removeItem("dianku.goods.did");
  if (kept) say(page.dataset.address, kept);
  page.dataset.ready = "";
}

async function refresh(part) {
  const home = document.getElementById(`goods-${part}`);
  if (!home) return;
  const answer = await fetch(location.pathname, { headers: { "X-Part": part }, credentials: "same-origin" });
  if (answer.ok && !answer.redirected) home.innerHTML = await answer.text();   // a page of ours
}

async function archive(address, action) {
  try {
    await api("POST", `/products/${address}/${action}`, {}, { key: newKey() });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.message, { kind: "bad" });
    return;
  }
  sessionStorage.setItem("dianku.goods.did", action);
  location.reload();
}

function say(address, did) {
  const back = did === "archive" ? "unarchive" : "archive";
  toast(t(`console.goods.${did}d`), { kind: "good", undo: did === "archive" ? () => archive(address, back) : undefined });
}
