// A report is asked anew as soon as something is chosen; what was typed waits for Enter or the button.
export function start(form) {
  form.addEventListener("change", (event) => {
    const { name, type } = event.target;
    if (type === "search" || type === "date") return;
    // Days up to today and typed dates exclude each other: the last one chosen counts.
    if (name === "days") for (const other of ["from", "to"]) form.elements.namedItem(other).value = "";
    form.requestSubmit();
  });
  form.addEventListener("formdata", ({ formData }) => {
    if (formData.get("from")) formData.delete("days");
    for (const [name, value] of [...formData]) if (!value) formData.delete(name);
  });
}
