// The page's conversation with the server: one event at a time per channel; the answer is the whole state.
let view = { turn: 0 }, tab = "reference", tool = "point", handed = "";
const channels = { act: [], adjust: [], thumbnails: [], save: [] };
const WORDS = {
  open: "Reading the photo", example: "Opening", place: "Harmonizing", mark: "Looking there", take: "Harmonizing",
  auto: "Choosing", undo: "Undoing", resume: "Opening", save: "Writing the full-size file",
};

// The key to this page's place on the server; a reloaded page finds it again, a new one has none.
const seat = {
  key: "",
  keep(key) {
    this.key = key;
    try { sessionStorage.setItem("iph-seat", key); } catch { /* a browser that keeps nothing */ }
  },
  find() {
    try { return sessionStorage.getItem("iph-seat") || ""; } catch { return ""; }
  },
};

// Everything that changes the project goes through "act", in order. A newer place replaces one that still waits.
function send(channel, name, data = {}) {
  if (name !== "thumbnails") hush();
  if (!["place", "thumbnails"].includes(name)) tools.flush();  // what is seen goes first
  const waiting = channels[channel], newest = waiting.at(-1);
  if (waiting.length > 1 && newest.name === name && ["place", "adjust", "thumbnails"].includes(name)) waiting.pop();
  waiting.push({ name, data });
  if (waiting.length === 1) next(channel);
}

function next(channel) {
  const event = channels[channel][0];
  if (channel === "save" && (channels.act.length || channels.adjust.length)) return;  // what is saved is what is seen
  if (!event || event.sent) return;
  event.sent = true;
  if (WORDS[event.name]) showBusy(event.data.words || WORDS[event.name]);
  trigger(event.name, { seat: seat.key, ...event.data });
}

function done(channel) {
  const { name } = channels[channel].shift();
  next(channel);
  next("save");
  if (!channels.act.length && !channels.save.length) showBusy("");
  if (["place", "adjust"].includes(name) && view.work) show();  // the server's picture takes the place of the hand's
}
const whenDone = (event) => {
  if (!element.isConnected) window.removeEventListener("studio-done", whenDone);
  else if (channels[event.detail].length) done(event.detail);
};
window.addEventListener("studio-done", whenDone);

const tools = makeTools({
  place: (placement) => send("act", "place", placement),
  mark: (kind, points, size) => send("act", "mark", { target: tab, kind, points, ...(size && { size }) }),
});
const amounts = makeAmounts(
  (now) => { if (tab === "reference") picture.blend(now); },
  (now) => send("adjust", "adjust", now),
);

async function take(kind, file) {
  if (file.size > 64 * 1024 * 1024) return say("Expected a file of at most 64 MB, got one of " + Math.round(file.size / 1e6) + " MB.", true);
  const drop = find(".drop[data-kind=" + kind + "]");
  if (drop) drop.classList.add("waiting");
  showBusy("Uploading");
  try {
    const { path } = await upload(file);
    const words = kind === "person" ? "Cutting the person out" : WORDS.open;
    send("act", "open", { kind, path, name: file.name, words });
  } catch (error) {
    showBusy("");
    say("The upload did not arrive. " + String(error.message || error), true);
  }
}
makeDrops(take);

function scene() {  // which picture is on the stage, and whether the result is seen on it
  if (tab === "other" && view.other) return [view.other, null];
  if (tab === "person") return [view.cutout || view.photo, null];
  return [view.photo, view.result];
}

function usable() {
  return tab === "reference" && view.person ? ["move", "point", "brush", "erase"] : ["point", "brush", "erase"];
}

function outline(name, path) {
  findAll("." + name + " path", parts.lines).forEach((line) => line.setAttribute("d", path));
}

function choose(name, wanted) {
  tab = name;
  tool = usable().includes(wanted || tool) ? wanted || tool : usable()[0];
  render();
}

// The picture on the stage. What is in a hand, or was sent and is not answered yet, stays as the hand has it.
function show() {
  const waits = (channel, name) => channels[channel].some((event) => event.name === name);
  picture.show(...scene()).then((shown) => {
    if (!shown) return;
    if (amounts.handling || waits("adjust", "adjust")) amounts.hold();
    else amounts.settle(view.amounts);
    if (tools.handling || (tab === "reference" && waits("act", "place"))) tools.hold();
    else tools.settle(tab === "reference" ? view.person : null);
  }).catch((error) => say(error.message, true));
}

function render() {
  const [whole] = scene(), lines = view.outlines, placed = Boolean(view.slots.person);
  if (tab !== "reference") tools.flush();
  show();
  findAll("[data-tab]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.tab === tab));
  find("[data-tab=other]").hidden = !view.other;
  findAll("[data-tool]").forEach((button) => {
    button.hidden = !usable().includes(button.dataset.tool);
    button.setAttribute("aria-pressed", button.dataset.tool === tool);
  });
  tools.use(tool);
  parts.size.hidden = !["brush", "erase"].includes(tool);
  find("[data-do=mirror]").hidden = tool !== "move";
  find(".file[data-kind=mask]").hidden = placed || tab !== "person";
  find("[data-do=undo]").disabled = !view.undo;
  parts.frame.dataset.marks = tab;
  parts.hint.textContent = view.asks && tab === "person" ? "Who was pasted? Click them, or drag a box around them." : HINTS[tab + " " + tool];
  const cutting = tab === "person" && placed;
  outline("foreground", tab === "other" ? "" : tab === "person" ? lines.cutout : lines.foreground);
  outline("reference", tab === "other" ? lines.other : cutting ? "" : lines.reference);
  const outside = "M0 0H" + whole.width + "V" + whole.height + "H0Z";
  find("path.shade").setAttribute("d", cutting && lines.cutout ? outside + lines.cutout : "");
  parts.frame.setAttribute("aria-label", (tab === "person" ? "The person's picture" : tab === "other" ? "The other photo" : "The photo") +
    (view.label ? ", look taken from: " + view.label : ""));
  const where = tab === "other" ? "other" : "photo", listed = view.suggestions[where];
  const takeIt = (index) => {
    if (tab === "person") tab = "reference";
    send("act", "take", { where, index });
  };
  showStrip(where, listed, takeIt, (path) => {
    outline("suggested", tab === "person" ? "" : path);
  });
  const here = view.elsewhere === (where === "other") ? view.label.toLowerCase() : view.elsewhere ? "the other photo" : "the photo";
  parts.from.textContent = !view.result || listed.some((entry) => entry.taken) ? "" : here;  // no card says it
  findAll("[data-save], [data-do=auto]").forEach((button) => { button.disabled = !view.result; });
  const whatIs = view.photo.ending.slice(1).toUpperCase().replace("JPG", "JPEG").replace("TIF", "TIFF");
  parts.what.textContent = whatIs + ", " + view.photo.full_width + " × " + view.photo.full_height + ". Its metadata say that it was edited.";
  if (view.result && listed.some((entry) => !entry.thumb)) send("thumbnails", "thumbnails", { where });
}

watch("value", () => {
  const answer = props.value;
  if (!answer || (answer.seat === view.seat && answer.turn <= view.turn)) return;  // a new seat counts anew
  const before = view;
  view = answer;
  seat.keep(Object.keys(view.slots).length ? view.seat : "");
  if (view.message) say(view.message.text, view.message.error);
  showSlots(view.slots);
  const working = view.work;
  parts.start.hidden = working;
  parts.work.hidden = !working;
  if (working) {
    if (view.asks) { tab = "person"; tool = before.asks ? tool : "point"; }
    else if (!before.work || before.asks) { tab = "reference"; tool = usable()[0]; }
    else if (view.other && view.other.file.url !== before.other?.file.url) { tab = "other"; tool = "point"; }
    if (tab === "other" && !view.other) tab = "reference";
    choose(tab);
  }
  const url = view.file ? view.file.url : "";
  if (url && url !== handed && before.seat === view.seat) {  // a reloaded page was given it before
    const link = make("a");
    link.href = url;
    link.download = view.file.orig_name;
    link.click();
    say("Saved " + view.file.orig_name + ".");
  }
  handed = url;
});

showGallery(props.value.gallery || [], (id) => send("act", "example", { id }));
findAll("[data-tab]").forEach((button) => button.addEventListener("click", () => choose(button.dataset.tab)));
findAll("[data-tool]").forEach((button) => button.addEventListener("click", () => choose(tab, button.dataset.tool)));
findAll("[data-save]").forEach((button) => button.addEventListener("click", () => send("save", "save", { what: button.dataset.save })));
let sure = 0;
const actions = {
  auto: () => { tab = "reference"; send("act", "auto"); },
  undo: () => send("act", "undo"),
  restart: () => {  // nothing brings the work back, so it takes a second click
    const button = find("[data-do=restart]"), calm = () => { sure = 0; button.textContent = "Start over"; };
    button.textContent = "Sure? Start over";
    if (!sure) { sure = setTimeout(calm, 4000); return; }
    clearTimeout(sure);
    calm();
    tab = "reference";
    say("");
    send("act", "restart");
  },
  mirror: () => tools.mirror(),
  lines: () => {
    const button = find("[data-do=lines]"), shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    parts.frame.toggleAttribute("data-plain", !shown);
  },
};
for (const name in actions) find("[data-do=" + name + "]").addEventListener("click", actions[name]);

const keys = { v: "move", p: "point", b: "brush", e: "erase", 1: "reference", 2: "person", 3: "other" };
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=range]), textarea, select");
  if (!element.isConnected || parts.work.hidden || typing || event.altKey) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z" && view.undo) actions.undo();
  else if (event.ctrlKey || event.metaKey) return;
  else if (key === "m" && view.person && tool === "move") actions.mirror();
  else if (key === "a" && view.result) actions.auto();
  else if (key === "o") actions.lines();
  else if (find("[data-tool=" + keys[key] + "]:not([hidden])")) choose(tab, keys[key]);
  else if (find("[data-tab=" + keys[key] + "]:not([hidden])")) choose(keys[key]);
  else return;
  event.preventDefault();
});

seat.key = seat.find();
if (seat.key) setTimeout(() => send("act", "resume"));
