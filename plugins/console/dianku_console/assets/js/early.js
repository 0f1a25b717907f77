// Until the page's modules listen, what is pressed is kept, and done once they do: nothing that is tapped on a slow
// phone is lost, and no form is sent by the browser itself, which would write a password into the address.
(() => {
  const kept = new Set();   // pressed twice because nothing happened, it is one deed
  const keep = (event) => {
    const pressed = event.type === "submit" ? event.target : event.target.closest("button");
    if (!pressed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    kept.add(pressed);
    pressed.setAttribute("aria-busy", "true");
  };
  for (const name of ["click", "submit"]) addEventListener(name, keep, true);
  addEventListener("dianku:ready", () => {
    for (const name of ["click", "submit"]) removeEventListener(name, keep, true);
    for (const pressed of kept) {
      pressed.removeAttribute("aria-busy");
      if (!pressed.isConnected) continue;
      if (pressed instanceof HTMLFormElement) pressed.requestSubmit();
      else pressed.click();
    }
  }, { once: true });
})();
