// Small helpers, and the parts of the page by name.
const find = (selector, within = element) => within.querySelector(selector);
const findAll = (selector, within = element) => [...within.querySelectorAll(selector)];
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const parts = {
  start: find(".start"), work: find(".work"), gallery: find(".gallery"), frame: find(".frame"), sheet: find(".sheet"),
  lines: find(".lines"), sprite: find(".sprite"), handles: find(".handles"), cross: find(".cross"), ring: find(".ring"),
  split: find(".split"), busy: find(".busy"), hint: find(".hint"), strip: find(".strip"), toast: find(".toast"), said: find(".said"),
  brushes: find(".brushes"), maskView: find(".mask-view"), history: find(".history"), zoom: find(".zoom output"), what: find(".what"), from: find(".from"), far: find(".far"),
};

// One sentence over the page, and what may be done about it; errors are read out at once, notes when the reader has time.
// Where all is one column it stands away from what the visitor is at, which may be anywhere.
let toastTimer = 0, at = 0;
element.addEventListener("pointerdown", (event) => { at = event.clientY; }, true);
element.addEventListener("focusin", (event) => { at = event.target.getBoundingClientRect().top; });
function say(text, isError, action = "", act = null) {
  clearTimeout(toastTimer);
  parts.toast.hidden = !text;
  if (!text) return;
  parts.toast.setAttribute("role", isError ? "alert" : "status");
  parts.toast.classList.toggle("error", Boolean(isError));
  parts.toast.classList.toggle("above", at > innerHeight / 2);
  find("span", parts.toast).textContent = text;
  const button = find("[data-do=act]");
  button.hidden = !action;
  button.textContent = action;
  button.onclick = () => { say(""); act(); };
  if (!action) toastTimer = setTimeout(() => { parts.toast.hidden = true; }, isError ? 12000 : 6000);
}
find("[data-do=close]").addEventListener("click", () => say(""));
// What went wrong before is no news any more once something else is done.
function hush() { if (parts.toast.classList.contains("error")) say(""); }

// Why something takes longer, until it goes on; then nothing more is said about it.
let heldBy = "";
function held(text) {
  if (text) say(text);
  else if (find("span", parts.toast).textContent === heldBy) say("");
  heldBy = text;
}

// What the server is doing, shown when it takes longer than a blink.
let busyTimer = 0, longTimer = 0;
const LONG = 8000;  // milliseconds
find(".busy i").animate([{ left: "-40%" }, { left: "100%" }], { duration: 1400, iterations: Infinity });
function showBusy(text) {
  element.toggleAttribute("data-busy", Boolean(text));
  if (!text) {
    clearTimeout(busyTimer);
    clearTimeout(longTimer);
    busyTimer = 0;
    parts.busy.hidden = true;
    findAll(".drop.waiting").forEach((drop) => drop.classList.remove("waiting"));
    return;
  }
  find("span", parts.busy).textContent = text;
  clearTimeout(longTimer);
  longTimer = setTimeout(() => { find("span", parts.busy).textContent = text + ", longer than usual"; }, LONG);
  busyTimer ||= setTimeout(() => {
    (parts.work.hidden ? find(".drop.waiting") || parts.gallery : parts.frame).append(parts.busy);
    parts.busy.hidden = false;
  }, 200);
}
