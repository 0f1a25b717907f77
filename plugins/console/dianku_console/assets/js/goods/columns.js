// What each column of a file is taken for: guessed by the shop, changed by a person, sent as said.
import { icon, make } from "../ui.js";
import { t } from "../words.js";

const HEADINGS_LOW = 30;   // how far down headings are looked for

export class Columns {
  #box; #changed; #check; #told = null; #touched = false; #row = null; #unread = false;

  constructor(box, { changed, check }) {
    this.#box = box;
    this.#changed = changed;
    this.#check = check;
  }

  /** Another file, or another kind of it: nothing is said of its columns. */
  forget() {
    this.#told = this.#row = null;
    this.#touched = this.#unread = false;
    this.#box.replaceChildren();
  }

  /** The fields of the form that say what a person chose; none while all is guessed. */
  said() {
    if (!this.#told || !this.#touched) return {};
    const mapping = Object.fromEntries(this.#told.fields.map((field) => [field.name, null]));
    let named = 0;
    for (const select of this.#box.querySelectorAll("select[data-letter]")) {
      if (!select.value) continue;
      const { heading, letter } = select.dataset;
      if (heading) named += 1;
      mapping[select.value] = heading || letter;
    }
    const row = this.#row ?? (named ? null : this.#told.heading_row);
    // Where another row was chosen, what its columns are is guessed anew first.
    return { ...(this.#unread ? {} : { mapping: JSON.stringify(mapping) }), ...(row === null ? {} : { heading_row: String(row) }) };
  }

  /** Show a file's columns as an answer tells them; what a person chose stays chosen. */
  show(told, { open }) {
    const before = new Map([...this.#box.querySelectorAll("select[data-letter]")].map((s) => [s.dataset.letter, s.value]));
    const kept = this.#touched && open && !this.#unread ? before : null;
    this.#told = told;
    this.#unread = false;
    const columns = distinct(told.columns);
    const taken = columns.filter((one) => kept ? kept.get(one.letter) : one.field).length;
    const fold = make("details", { class: "panel wares-columns" });
    fold.open = open;
    const rows = columns.map((one) => this.#line(one, kept ? kept.get(one.letter) ?? "" : one.field ?? ""));
    const head = make("thead", {}, make("tr", {}, ...["in_file", "samples", "taken_for"].map((word) => make("th", { scope: "col" }, t(`console.wares.${word}`)))));
    const again = make("button", { type: "button", class: "button", "data-check-again": "" }, icon("list-checks"), t("console.wares.check_again"));
    again.addEventListener("click", () => this.#check());
    fold.append(
      make("summary", {}, t("console.wares.columns", { n: columns.length, taken })),
      this.#rows(),
      make("div", { class: "wares-scroll", tabindex: "0", role: "region", "aria-label": t("console.wares.taken_for") }, make("table", { class: "list" }, head, make("tbody", {}, ...rows))),
      make("div", { class: "row" }, again),
    );
    this.#box.replaceChildren(fold);
  }

  #line(one, field) {
    const select = make("select", { "data-letter": one.letter, "data-heading": one.said, "aria-label": t("console.wares.what_is", { name: one.column }) },
      make("option", { value: "" }, t("console.wares.leave_out")),
      ...this.#told.fields.map((each) => make("option", { value: each.name }, each.title)));
    select.value = field;
    const row = make("tr", { class: field ? "" : "aside" },
      make("th", { scope: "row" }, make("span", { translate: "no", class: "wares-heading" }, one.heading || t("console.wares.no_heading")), make("span", { class: "under", translate: "no" }, one.letter)),
      make("td", { class: "wares-samples", translate: "no" }, one.samples.join(" · ")),
      make("td", {}, make("div", { class: "field" }, select)));
    select.addEventListener("change", () => {
      this.#touch();
      row.classList.toggle("aside", !select.value);
      for (const other of this.#box.querySelectorAll("select[data-letter]")) {
        if (other === select || !select.value || other.value !== select.value) continue;
        other.value = "";   // a field is in one column
        other.closest("tr").classList.add("aside");
      }
    });
    return row;
  }

  #rows() {
    const select = make("select", { id: "field-heading-row" },
      make("option", { value: "0" }, t("console.wares.no_headings")),
      ...Array.from({ length: Math.max(HEADINGS_LOW, this.#told.heading_row ?? 0) }, (_, i) => make("option", { value: String(i + 1) }, t("console.wares.row_n", { n: i + 1 }))));
    select.value = String(this.#told.heading_row ?? 1);
    select.addEventListener("change", () => {
      this.#touch();
      this.#row = Number(select.value);
      this.#unread = true;
      this.#check();
    });
    return make("div", { class: "field wares-row" }, make("label", { for: "field-heading-row" }, t("console.wares.headings_in")), select);
  }

  #touch() {
    this.#touched = true;
    this.#changed();
    this.#box.querySelector("[data-check-again]").classList.add("main-action");
  }
}

// One line for each column that differs; `said` is its heading where that names it alone, else "".
function distinct(columns) {
  const first = columns.filter((one) => one.sheet === columns[0]?.sheet);
  const times = new Map();
  const key = (one) => one.heading.trim().toLowerCase();
  for (const one of first) times.set(key(one), (times.get(key(one)) ?? 0) + 1);
  return first.map((one) => ({ ...one, said: one.heading && times.get(key(one)) === 1 ? one.heading : "" }));
}
