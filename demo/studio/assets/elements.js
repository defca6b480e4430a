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
  start: find(".start"), work: find(".work"), gallery: find(".gallery"), frame: find(".frame"),
  lines: find(".lines"), sprite: find(".sprite"), handles: find(".handles"), cross: find(".cross"),
  split: find(".split"), busy: find(".busy"), hint: find(".hint"), strip: find(".strip"), toast: find(".toast"),
  size: find(".size"), what: find(".what"), from: find(".from"),
};

// One sentence over the page; errors are read out at once, notes when the reader has time.
let toastTimer = 0;
function say(text, isError) {
  clearTimeout(toastTimer);
  parts.toast.hidden = !text;
  if (!text) return;
  parts.toast.setAttribute("role", isError ? "alert" : "status");
  parts.toast.classList.toggle("error", Boolean(isError));
  find("span", parts.toast).textContent = text;
  toastTimer = setTimeout(() => { parts.toast.hidden = true; }, isError ? 12000 : 6000);
}
find("button", parts.toast).addEventListener("click", () => say(""));
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
let busyTimer = 0;
find(".busy i").animate([{ left: "-40%" }, { left: "100%" }], { duration: 1400, iterations: Infinity });
function showBusy(text) {
  element.toggleAttribute("data-busy", Boolean(text));
  if (!text) {
    clearTimeout(busyTimer);
    busyTimer = 0;
    parts.busy.hidden = true;
    findAll(".drop.waiting").forEach((drop) => drop.classList.remove("waiting"));
    return;
  }
  find("span", parts.busy).textContent = text;
  busyTimer ||= setTimeout(() => {
    (parts.work.hidden ? find(".drop.waiting") || parts.gallery : parts.frame).append(parts.busy);
    parts.busy.hidden = false;
  }, 200);
}
