// Goods to try things out with: taken in as a spreadsheet, so that they can be undone as one.
import { Refused, api, newKey } from "../api.js";

const PAUSE_MS = 300;

export function start(box) {
  const button = box.querySelector("[data-take]");
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    try {
      await take(box.dataset.samples);
      location.assign("/console/goods");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const said = box.querySelector("[data-said]");
      said.textContent = error.message;
      said.hidden = false;
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

async function take(address) {
  const { file, rows } = await (await fetch(address)).json();
  const form = new FormData();
  form.append("kind", "products");
  form.append("file", new Blob([rows.map((row) => row.join(",")).join("\n")], { type: "text/csv" }), file);
  let { body } = await api("POST", "/imports", form, { key: newKey() });
  while (["waiting", "queued", "running"].includes(body.status)) {
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    ({ body } = await api("GET", `/imports/${encodeURIComponent(body.id)}`));
  }
}
