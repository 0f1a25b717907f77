// Settings as the section declares them: only what was changed is sent, each as its type wants it.
import { fillZones } from "./zones.js";

export function start(form) {
  form.querySelectorAll("datalist").forEach(fillZones);
  const fields = () => Array.from(form.elements).filter((one) => one.dataset.kind);
  form.addEventListener("dianku:sending", ({ detail }) => {
    detail.body = Object.fromEntries(fields().filter(changed).map((one) => [one.name, valueOf(one)]));
  });
  form.addEventListener("dianku:sent", () => fields().forEach(settle));
}

function changed(field) {
  if (field.dataset.kind === "secret") return field.value !== "";
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return !field.selectedOptions[0]?.defaultSelected;
  return field.value !== field.defaultValue;
}

function valueOf(field) {
  const text = field.value.trim();
  switch (field.dataset.kind) {
    case "boolean": return field.checked;
    case "lines": return text.split("\n").map((line) => line.trim()).filter(Boolean);
    case "integer": return text === "" ? null : /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    default: return text === "" && (field.dataset.kind !== "text" || "clears" in field.dataset) ? null : text;
  }
}

/** What was saved is what the next change is held against. */
function settle(field) {
  if (field.dataset.kind === "secret") field.value = "";
  else if (field.type === "checkbox") field.defaultChecked = field.checked;
  else if (field.tagName === "SELECT") Array.from(field.options).forEach((one) => { one.defaultSelected = one.selected; });
  else field.defaultValue = field.value;
}
