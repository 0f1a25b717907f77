// A receipt is printed by the browser, which knows the printer.

export function start(node) {
  node.querySelector("[data-print]").addEventListener("click", () => window.print());
}
