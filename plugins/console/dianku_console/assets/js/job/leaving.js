// Goods that are paid for now and fetched later (客存): all of a sale or some of its lines, and whose they are.
import { icon, make } from "../ui.js";
import { t } from "../words.js";
import { baseOf } from "./basket.js";
import { plain, quantity } from "./exact.js";

/**
 * The part of a sale's page that keeps goods back. `basket.head.leave` is "all" or "part", `head.whose` a name; in
 * parts a line's `stays` is how many of its count, as typed, or `true` for all of it. A sale of which nothing stays looks and is as ever.
 */
export function leaving(node, { basket, on }) {
  const chip = node.querySelector("[data-leave]"), box = node.querySelector("[data-left]"), till = node.querySelector("[data-till]");
  const part = box.querySelector("[data-leave-part]"), whose = box.querySelector("[data-head='whose']");
  const how = () => basket.head.leave;
  // A kit has no stock that could be put aside: it goes along.
  const keepable = (line) => ["none", "made", undefined].includes(line.composition);

  /** How much of a line stays, in thousandths of what its count counts. */
  function stays(line) {
    const count = line.label ? 1000 : quantity(line.count);
    if (!how() || !keepable(line)) return 0;
    if (how() === "all" || line.stays === true) return count;
    return Math.min(quantity(line.stays ?? "0") ?? 0, count);
  }

  function shown() {
    const { lines, head } = basket;
    if (!lines.length) { delete head.leave; delete head.whose; }   // the next sale is another customer's
    chip.hidden = lines.length === 0;
    chip.setAttribute("aria-pressed", String(Boolean(how())));
    box.hidden = !how() || lines.length === 0;
    part.setAttribute("aria-pressed", String(how() === "part"));
    part.hidden = how() !== "part" && lines.length === 1 && (Boolean(lines[0].label) || quantity(lines[0].count) <= 1000);
  }

  /** What a line says and asks of it; nothing where nothing of the sale stays. */
  function row(line) {
    if (!how() || basket.lines.length === 0) return null;
    if (!keepable(line)) return make("div", { class: "stays small-text" }, t("console.leaving.goes_along"));
    const some = stays(line) > 0, one = line.label || quantity(line.count) <= 1000;
    const kept = line.label ? `${line.label.quantity} ${line.unit}` : plain(stays(line), 3);
    if (how() === "all") return make("div", { class: "stays" }, make("span", { class: "badge info" }, icon("package"), t("console.leaving.stays", { n: kept })));
    return make("div", { class: "stays" },
      make("button", { type: "button", class: "chip", "aria-pressed": String(some), "data-stays": true, "aria-label": t("console.leaving.stays_of", { name: line.name }),
        onclick: () => on.set(line, { stays: some ? undefined : true }) }, icon("package"), t("console.leaving.left")),
      some && !one ? field(line, kept) : null);
  }

  function field(line, kept) {
    const input = make("input", { class: "input", inputmode: "decimal", autocomplete: "off", value: kept, "data-how-many": true, "aria-label": t("console.leaving.count_of", { name: line.name }) });
    input.addEventListener("focus", () => input.select());
    input.addEventListener("change", () => {
      const typed = quantity(input.value);
      if (typed === null || typed < 0) on.shown();
      else on.set(line, { stays: plain(Math.min(typed, quantity(line.count)), 3) });
    });
    return make("label", { class: "how-many" }, input, make("span", {}, t("console.leaving.of", { n: line.count })));
  }

  /** Whether it can be sent: who says that something stays says what. */
  const ready = () => !how() || basket.lines.some((line) => stays(line) > 0);

  /** What a line's body says of it: base units, or nothing. */
  function kept(line) {
    const some = stays(line);
    if (some <= 0) return undefined;
    return plain(line.label ? baseOf(line) : some * line.factor, 3);
  }

  /** Whose it is; undefined where nothing stays or nobody said. */
  const note = () => (how() && basket.head.whose?.trim()) || undefined;

  chip.addEventListener("click", () => {
    basket.setHead({ leave: how() ? undefined : "all" });
    if (!how()) return;
    whose.focus({ preventScroll: true });
    // The till lies over the foot of the page: a field behind it would be typed into unseen.
    if (box.getBoundingClientRect().bottom > till.getBoundingClientRect().top) box.scrollIntoView({ block: "start" });
  });
  part.addEventListener("click", () => basket.setHead({ leave: how() === "part" ? "all" : "part" }));
  return { shown, row, ready, kept, note, get any() { return Boolean(how()); } };
}
