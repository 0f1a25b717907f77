// Lines are drawn anew after each change. Whoever leaves a field for the next, by finger or by Tab, must
// find that one there: while a finger is down or the focus is on its way nothing is drawn, and what had
// the focus has it again afterwards.
const REACHED = "input, button, select";

/** `draw` made steady for a list: call what this gives instead of it. */
export function steady(list, draw) {
  let down = false, leaving = false, due = false;

  function now() {
    due = false;
    const back = place(list);
    draw();
    back?.();
  }

  function later() {
    if (due && !down && !leaving) now();
  }

  list.addEventListener("change", () => { leaving = true; setTimeout(() => { leaving = false; later(); }); }, true);
  list.addEventListener("pointerdown", () => { down = true; });
  // The click comes after the finger is up, and must still find its button.
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => { down = false; later(); }));
  return () => { due = true; later(); };
}

/** How to give the focus back to what has it in the list now; null where nothing has. */
function place(list) {
  const active = document.activeElement;
  const item = active?.closest("li");
  if (!item || !list.contains(item)) return null;
  const [at, of] = [[...list.children].indexOf(item), [...item.querySelectorAll(REACHED)].indexOf(active)];
  const sku = item.dataset.sku;
  return () => {
    const again = list.children[at];
    if (again?.dataset.sku === sku) again.querySelectorAll(REACHED)[of]?.focus({ preventScroll: true });
  };
}
