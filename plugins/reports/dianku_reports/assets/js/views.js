// Views of the monitor that were given a name: kept on this device, for they are one person's.
import { named } from "../../console/js/device.js";
import { icon, make, toast } from "../../console/js/ui.js";
import { t } from "../../console/js/words.js";

const KEPT = named("dianku.monitor.views"), MOST = 12;

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => one?.name && typeof one.query === "string").slice(0, MOST) : [];
  } catch { return []; }
}

export function start(section) {
  const list = section.querySelector("[data-views]"), form = section.querySelector("form");
  const keep = (views) => { localStorage.setItem(KEPT, JSON.stringify(views)); show(); };
  const show = () => list.replaceChildren(...kept().map(({ name, query }) => make("span", { class: "kept" },
    make("a", { class: "chip", href: `/console/monitor${query}`, "aria-current": query === location.search ? "true" : null }, name),
    make("button", { type: "button", class: "icon-button", "aria-label": t("reports.views.forget", { name }),
      onclick: () => keep(kept().filter((one) => one.name !== name)) }, icon("x")))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = form.elements.view.value.trim();
    if (!name) return;
    const others = kept().filter((one) => one.name !== name);
    if (others.length >= MOST) { toast(t("reports.views.full"), { kind: "warn" }); return; }
    const query = new URLSearchParams(location.search);
    query.delete("cursor");
    const text = query.toString();
    keep([...others, { name, query: text ? `?${text}` : "" }]);
    form.reset();
    form.closest("details").open = false;
  });
  show();
}
