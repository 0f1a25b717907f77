// Whether this phone trusts the shop, asked by asking the shop over HTTPS: only a certificate that is trusted answers.
const walk = document.querySelector(".walk");
const PATIENCE_MS = 8000;

function show(state) {
  for (const node of walk.querySelectorAll("[data-state]")) node.hidden = node.dataset.state !== state;
  walk.querySelector("[data-open]").hidden = state !== "yes";
  walk.querySelector("[data-todo]").hidden = state === "yes";
}

async function check() {
  show("asking");
  try {
    // What it answers is not readable here, and need not be.
    await fetch(`${walk.dataset.secure}/healthz`, { mode: "no-cors", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
    show("yes");
  } catch {
    show("no");
  }
}

document.addEventListener("change", (event) => {
  if (event.target.dataset?.choose !== "language") return;
  document.cookie = `dianku_language=${encodeURIComponent(event.target.value)}; Path=/; Max-Age=31536000; SameSite=Lax`;
  location.reload();
});

const again = walk.querySelector("[data-check]");
if (again) {
  again.addEventListener("click", () => { check(); walk.scrollIntoView(); });
  // Who comes back from the phone's settings has just done something about it.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); });
  check();
}

document.documentElement.dataset.ready = "";
