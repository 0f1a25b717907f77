// What this device does: whether it sounds.
const QUIET = "dianku.quiet";

export function start(box) {
  const sound = box.querySelector("[data-sound]");
  sound.checked = localStorage.getItem(QUIET) !== "1";
  sound.addEventListener("change", () => localStorage.setItem(QUIET, sound.checked ? "0" : "1"));
}
