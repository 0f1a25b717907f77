// In the bar of every page: no connection, and how much is kept on this phone. Sees to it that the
// queue goes on, that the worker is there, and that nothing of one person is left for another.
import { named } from "../device.js";
import { icon } from "../ui.js";
import { t } from "../words.js";
import { follow, forget } from "./catalog.js";
import { begin } from "./queue.js";
import { ofPage } from "./session.js";

const PERSON = named("dianku.person");
const SOON_MS = 3_000;   // the page itself goes before
const badge = document.querySelector("[data-kept]");
const DOOR = "/console/sign-in";
let count = { waiting: 0, refused: 0 };

function shown() {
  if (!badge) return;
  const { waiting, refused } = count;
  const offline = navigator.onLine === false;
  badge.hidden = !offline && waiting + refused === 0;
  badge.classList.toggle("bad", refused > 0);
  const text = refused ? t("console.offline.refused", { n: refused }) : waiting ? t("console.offline.kept", { n: waiting }) : t("console.offline.offline");
  badge.replaceChildren(icon(refused ? "triangle-alert" : offline ? "wifi-off" : "smartphone"), text);
  badge.setAttribute("aria-label", offline && waiting + refused ? `${t("console.offline.offline")} · ${text}` : text);
}

/** Have ready what is needed should the connection go: the goods, and the pages this reader may open. */
async function prepare() {
  if (badge.dataset.kept === "goods") follow(person);
  const worker = await navigator.serviceWorker?.ready;
  worker?.active.postMessage({ pages: [...document.querySelectorAll(".rail a[href]")].map((link) => link.getAttribute("href")) });
}

document.addEventListener("dianku:kept", ({ detail }) => { count = detail; shown(); });
for (const name of ["online", "offline"]) addEventListener(name, shown);

// The worker does this too, but there is none without a secure connection.
document.addEventListener("dianku:sent", ({ target }) => { if (target.dataset?.send?.startsWith("DELETE /sessions")) forget(); });

const { person } = ofPage();
if (badge && person) {
  const before = localStorage.getItem(PERSON);
  const ready = before !== null && before !== person ? forget() : Promise.resolve();
  localStorage.setItem(PERSON, person);
  shown();
  begin();
  ready.then(() => setTimeout(prepare, SOON_MS));
} else if (location.pathname === DOOR) {
  forget();
}
// Absent without a secure connection: the queue then works while its page is open.
navigator.serviceWorker?.register("/console/sw.js", { scope: "/console/" }).catch(() => {});
