// The camera over the whole screen: it reads by itself, and where there is none a photo or a typed code will do.
//
// No dialog element: what a page says while one scans on (toasts) lies above it, its sheets too.
import { icon, make, sound } from "../ui.js";
import { t } from "../words.js";
import { Belief, offered, reader, readPhoto } from "./reader.js";

const AGAIN_MS = 1200;    // the same code is not taken again before it was out of sight so long
const TOGETHER_MS = 500;  // how long a code waits for another that is in sight and not yet believed
let open = null;

/** Open the camera. `scanned` takes what it reads, `typed` what is written. */
export function camera(doors) {
  open ??= new Camera(doors);
}

class Camera {
  constructor({ scanned, typed }) {
    this.doors = { scanned, typed };
    this.seen = new Map();     // code -> when it was last in sight after it was taken
    this.belief = new Belief();
    this.fresh = new Set();    // believed and not yet handed over
    this.since = null;
    this.before = document.activeElement;
    this.build();
    this.others = [...document.body.children].filter((node) => node !== this.root && !node.matches("dialog, .toasts, script"));
    for (const node of this.others) node.inert = true;
    this.hidden = () => (document.hidden ? this.stop() : this.start());
    this.escaped = (event) => { if (event.key === "Escape" && !document.querySelector("dialog[open]")) this.close(); };
    document.addEventListener("visibilitychange", this.hidden);
    document.addEventListener("keydown", this.escaped);
    this.root.querySelector("[data-camera-close]").focus();
    this.start();
  }

  build() {
    this.video = make("video", { playsinline: true, "aria-hidden": "true" });
    this.video.muted = true;
    this.torch = make("button", { type: "button", class: "icon-button", "aria-label": t("console.scan.torch"), "aria-pressed": "false", hidden: true, onclick: () => this.light() }, icon("flashlight"));
    this.said = make("p", { class: "camera-said", role: "status" }, t("console.scan.opening"));
    this.choices = make("div", { class: "camera-choices", hidden: true });
    this.file = make("input", { type: "file", accept: "image/*", capture: "environment", hidden: true, onchange: () => this.photo() });
    this.picture = make("button", { type: "button", class: "button", onclick: () => this.file.click() }, icon("camera"), t("console.scan.photo"));
    const field = make("input", { name: "code", type: "search", enterkeyhint: "search", autocomplete: "off", "aria-label": t("console.scan.type"), placeholder: t("console.scan.type"), "data-scan-field": true });
    const form = make("form", { class: "find", role: "search", onsubmit: (event) => this.write(event, field) }, icon("keyboard"), field);
    this.root = make("div", { class: "camera", role: "dialog", "aria-modal": "true", "aria-label": t("console.scan.title") },
      this.video,
      make("div", { class: "camera-aim", "aria-hidden": "true" }),
      make("header", {},
        make("button", { type: "button", class: "icon-button", "aria-label": t("console.scan.close"), "data-camera-close": true, onclick: () => this.close() }, icon("x")),
        make("h2", {}, t("console.scan.title")), this.torch),
      make("div", { class: "camera-foot" }, this.said, this.choices, form, this.picture, this.file));
    document.body.append(this.root);
  }

  async start() {
    if (this.stream || this.starting) return;
    if (!navigator.mediaDevices?.getUserMedia) { this.blind("insecure"); return; }
    this.starting = true;
    try {
      const wanted = { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      if (open !== this) { stream.getTracks().forEach((track) => track.stop()); return; }
      this.stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
      this.eyes ??= await reader();
      this.root.classList.add("live");
      this.torch.hidden = !this.track().getCapabilities?.().torch;
      this.say(t("console.scan.aim"));
      this.look(stream);
    } catch (error) {
      this.stop();
      this.blind({ NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "busy" }[error.name] ?? "broken");
    } finally {
      this.starting = false;
    }
  }

  /** There is no live picture: say why, and what can be done instead. */
  blind(why) {
    this.root.classList.remove("live");
    this.root.classList.add("blind");
    this.picture.classList.add("main-action");
    this.say(t(`console.scan.camera_${why}`));
  }

  async look(stream) {
    for (let turn = 0; this.stream === stream; turn += 1) {
      const way = this.eyes.ways[turn % this.eyes.ways.length];
      if (this.video.readyState >= 2 && !document.hidden && !this.asking) {
        try {
          await this.found(await this.eyes.read(this.video, way), way);
        } catch {
          if (this.stream === stream) { this.stop(); this.blind("broken"); }
          return;
        }
      }
      await new Promise((next) => { requestAnimationFrame(next); });
    }
  }

  async found(all, way) {
    const now = performance.now();
    const codes = offered(this.belief.of(all, way, now));
    for (const code of codes) {
      if (now - (this.seen.get(code) ?? -Infinity) > AGAIN_MS) this.fresh.add(code);
      else this.seen.set(code, now);
    }
    if (!this.fresh.size) return;
    this.since ??= now;
    const others = this.belief.doubted(now, TOGETHER_MS).filter((code) => !this.seen.has(code) || now - this.seen.get(code) > AGAIN_MS);
    if (others.some((code) => !this.fresh.has(code)) && now - this.since < TOGETHER_MS) return;
    const caught = [...this.fresh];
    this.fresh.clear();
    this.since = null;
    for (const code of caught) this.seen.set(code, now);
    if (caught.length > 1) this.choose(caught, "camera");
    else await this.take(caught[0], "camera");
  }

  /** Hand a code over; the camera stays where a page takes it, and leaves for its sheet where none does. */
  async take(code, source) {
    this.choices.hidden = true;
    this.root.classList.remove("caught");
    void this.root.offsetWidth;   // the flash begins anew
    this.root.classList.add("caught");
    this.say(code);
    if (!(await this.doors.scanned(code, { source }))) this.close();
  }

  choose(codes, source) {
    this.asking = true;
    sound("warning");
    this.say(t("console.scan.several", { n: codes.length }));
    const done = () => { this.asking = false; this.choices.hidden = true; };
    this.choices.replaceChildren(
      ...codes.map((code) => make("button", { type: "button", class: "button", onclick: () => { done(); this.take(code, source); } }, code)),
      make("button", { type: "button", class: "button quiet", onclick: () => { done(); this.say(t("console.scan.aim")); } }, t("console.scan.none_of_them")));
    this.choices.hidden = false;
    this.choices.querySelector("button").focus();
  }

  async photo() {
    const [file] = this.file.files;
    this.file.value = "";
    if (!file) return;
    this.say(t("console.scan.reading"));
    this.picture.setAttribute("aria-busy", "true");
    try {
      this.eyes ??= await reader();
      const codes = await readPhoto(file, this.eyes);
      if (codes.length > 1) this.choose(codes, "photo");
      else if (codes.length) await this.take(codes[0], "photo");
      else { sound("unknown"); this.say(t("console.scan.no_code")); }
    } catch {
      sound("unknown");
      this.say(t("console.scan.no_picture"));
    } finally {
      this.picture.removeAttribute("aria-busy");
    }
  }

  write(event, field) {
    event.preventDefault();
    event.stopPropagation();
    const text = field.value.trim();
    field.value = "";
    if (!text) return;
    this.close();
    this.doors.typed(text);
  }

  say(text) { this.said.textContent = text; }

  track() { return this.stream.getVideoTracks()[0]; }

  async light() {
    const on = this.torch.getAttribute("aria-pressed") !== "true";
    try {
      await this.track().applyConstraints({ advanced: [{ torch: on }] });
      this.torch.setAttribute("aria-pressed", String(on));
    } catch { this.torch.hidden = true; }
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.root.classList.remove("live");
    this.torch.setAttribute("aria-pressed", "false");
  }

  close() {
    if (open !== this) return;
    open = null;
    this.stop();
    this.eyes?.end();
    document.removeEventListener("visibilitychange", this.hidden);
    document.removeEventListener("keydown", this.escaped);
    for (const node of this.others) node.inert = false;
    this.root.remove();
    if (this.before?.isConnected && !document.querySelector("dialog[open]")) this.before.focus?.();
  }
}
