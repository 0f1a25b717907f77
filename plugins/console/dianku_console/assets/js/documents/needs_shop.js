// What cannot wait on the phone says so while there is no connection, before somebody presses.
export function needsTheShop(node) {
  const note = node.querySelector("[data-needs-shop]");
  if (!note) return;
  const told = () => { note.hidden = navigator.onLine !== false; };
  addEventListener("online", told);
  addEventListener("offline", told);
  told();
}
