// Which stores somebody or something is for: all of them, or those that are ticked.
export function start(box) {
  const every = box.querySelector("[data-every]");
  const some = box.querySelector("[data-some]");
  every?.addEventListener("change", () => { some.hidden = every.checked; });
  box.closest("form").addEventListener("dianku:sending", ({ detail }) => {
    const ticked = Array.from(some.querySelectorAll("[data-code]:checked"), (one) => one.dataset.code);
    if (every?.checked) detail.body.stores = box.dataset.empty === "list" ? [] : null;
    else detail.body.stores = ticked;
  });
}
