// A new token: its secret is shown once, here, and nowhere kept.
import { toast } from "../ui.js";
import { t } from "../words.js";

export function start(box) {
  const form = box.querySelector("form");
  const made = box.querySelector("[data-made]");
  const secret = box.querySelector("[data-secret]");
  form.addEventListener("dianku:sending", ({ detail }) => {
    // A date is a token's last day: it ends with that day, on the clock of who makes it.
    if (detail.body.expires_at) detail.body.expires_at = new Date(`${detail.body.expires_at}T23:59:59`).toISOString();
  });
  form.addEventListener("dianku:sent", (event) => {
    event.preventDefault();
    secret.value = event.detail.body.token ?? "";
    form.hidden = true;
    made.hidden = false;
    secret.focus();
    secret.select();
  });
  box.querySelector("[data-copy]").addEventListener("click", async () => {
    secret.select();
    try { await navigator.clipboard.writeText(secret.value); } catch { document.execCommand("copy"); }
    toast(t("console.admin.copied"), { kind: "good" });
  });
}
