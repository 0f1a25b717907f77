// The first owner: the link's secret comes behind the # of the address, which no server is sent.
import { Refused, api } from "../api.js";
import { bodyOf, showWrong } from "../forms.js";
import { fillZones } from "../admin/zones.js";
import { t } from "../words.js";
import { due } from "./tour.js";

const KEPT = "dianku.link";   // for this tab, so that choosing a language does not lose it

export function start(form) {
  const given = new URLSearchParams(location.hash.slice(1)).get("link");
  if (given) sessionStorage.setItem(KEPT, given);
  history.replaceState(null, "", location.pathname);
  const said = form.querySelector("[data-said]");
  const button = form.querySelector('[type="submit"]');
  const zone = form.elements.namedItem("shop.timezone");
  if (zone) {
    fillZones(form.querySelector("datalist"));
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
  }
  if (!sessionStorage.getItem(KEPT)) {
    said.textContent = t("console.door.no_link");
    said.hidden = false;
    button.disabled = true;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { ...bodyOf(form), link: sessionStorage.getItem(KEPT), with_token: false };
    button.setAttribute("aria-busy", "true");
    try {
      const { body: done } = await api("POST", "/setup", body);
      due(done.user.name);
      sessionStorage.removeItem(KEPT);
      await api("POST", "/sessions", { name: body.name, password: body.password, device: navigator.userAgent.slice(0, 300) });
      location.assign("/console/first");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) error.message = t("console.door.link_used");
      showWrong(form, error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}
