// The page: what is seen of the state that the server answered last, and what its buttons and keys do.
const EMPTY = { turn: 0, slots: {}, work: false };
let state = EMPTY, tab = "reference", tool = "point", handed = "";

const tools = makeTools({
  place: (placement) => send("act", "place", placement),
  prompt: (kind, points, size) => send("act", "prompt", { target: tab, kind, points, ...(size && { size }) }),
});
const amounts = makeAmounts(
  (now) => { if (tab === "reference") picture.blend(now); },
  (now) => send("adjust", "adjust", now),
);

async function take(kind, file) {
  const most = /\.(tiff?|png)$/i.test(file.name) ? 345 : 64; // megabytes: 16 bits a channel take what their pixels need
  if (file.size > most * 1024 * 1024) return say(`Expected a file of at most ${most} MB, got one of ${Math.round(file.size / 1e6)} MB.`, true);
  const drop = find(".drop[data-kind=" + kind + "]");
  if (drop) drop.classList.add("waiting");
  showBusy("Uploading");
  try {
    const { upload } = await session.upload(file, (share) => { if (share < 1) showBusy("Uploading " + Math.round(100 * share) + " %"); });
    const words = kind === "person" ? "Cutting the person out" : WORDS.open;
    send("act", "open", { kind, upload, name: file.name, words });
  } catch (error) {
    showBusy("");
    fail("open", error);
  }
}
makeDrops(take);

function scene() {  // which picture is on the canvas, and whether the result is seen on it
  if (tab === "other" && state.other) return [state.other, null];
  if (tab === "person") return [state.cutout || state.photo, null];
  return [state.photo, state.result];
}

function usable() {
  return tab === "reference" && state.person ? ["move", "point", "brush", "erase"] : ["point", "brush", "erase"];
}

function outline(name, path) {
  findAll("." + name + " path", parts.lines).forEach((line) => line.setAttribute("d", path));
}

function choose(name, wanted) {
  tab = name;
  tool = usable().includes(wanted || tool) ? wanted || tool : usable()[0];
  render();
}

// The picture on the canvas. What is in a hand, or was sent and is not answered yet, stays as the hand has it.
function show() {
  picture.show(...scene()).then((shown) => {
    if (!shown) return;
    if (amounts.handling || isWaiting("adjust", "adjust")) amounts.hold();
    else amounts.settle(state.amounts);
    if (tools.handling || (tab === "reference" && isWaiting("act", "place"))) tools.hold();
    else tools.settle(tab === "reference" ? state.person : null);
  }).catch((error) => say(error.message, true));
}

function render() {
  const [whole] = scene(), lines = state.outlines, placed = Boolean(state.slots.person);
  if (tab !== "reference") tools.flush();
  show();
  findAll("[data-tab]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.tab === tab));
  find("[data-tab=other]").hidden = !state.other;
  findAll("[data-tool]").forEach((button) => {
    button.hidden = !usable().includes(button.dataset.tool);
    button.setAttribute("aria-pressed", button.dataset.tool === tool);
  });
  tools.use(tool);
  parts.size.hidden = !["brush", "erase"].includes(tool);
  find("[data-do=mirror]").hidden = tool !== "move";
  find(".file[data-kind=mask]").hidden = placed || tab !== "person";
  find("[data-do=undo]").disabled = !state.undo;
  parts.frame.dataset.target = tab;
  parts.hint.textContent = state.asks && tab === "person" ? "Who was pasted? Click them, or drag a box around them." : HINTS[tab + " " + tool];
  const cutting = tab === "person" && placed;
  outline("foreground", tab === "other" ? "" : tab === "person" ? lines.cutout : lines.foreground);
  outline("reference", tab === "other" ? lines.other : cutting ? "" : lines.reference);
  const outside = "M0 0H" + whole.width + "V" + whole.height + "H0Z";
  find("path.shade").setAttribute("d", cutting && lines.cutout ? outside + lines.cutout : "");
  parts.frame.setAttribute("aria-label", (tab === "person" ? "The person's picture" : tab === "other" ? "The other photo" : "The photo") +
    (state.label ? ", look taken from: " + state.label : ""));
  const where = tab === "other" ? "other" : "photo", listed = state.suggestions[where];
  const takeIt = (index) => {
    if (tab === "person") tab = "reference";
    send("act", "take", { where, index });
  };
  showStrip(where, listed, takeIt, (path) => {
    outline("suggested", tab === "person" ? "" : path);
  });
  const here = state.elsewhere === (where === "other") ? state.label.toLowerCase() : state.elsewhere ? "the other photo" : "the photo";
  parts.from.textContent = !state.result || listed.some((entry) => entry.taken) ? "" : here;  // no card says it
  findAll("[data-save], [data-do=auto]").forEach((button) => { button.disabled = !state.result; });
  const whatIs = state.photo.ending.slice(1).toUpperCase().replace("JPG", "JPEG").replace("TIF", "TIFF");
  parts.what.textContent = whatIs + ", " + state.photo.full_width + " × " + state.photo.full_height + ". Its metadata say that it was edited.";
  if (state.result && listed.some((entry) => !entry.thumb)) send("thumbnails", "thumbnails", { where });
}

// The state is what the server said last, or nothing. Of two answers that cross, the newer counts; false for the other.
function apply(answer) {
  if (answer !== EMPTY && (answer.session !== session.name || (answer.session === state.session && answer.turn <= state.turn))) return false;
  const before = state;
  state = answer;
  session.keep(Object.keys(state.slots).length > 0);
  if (state.message) say(state.message.text, state.message.error);
  showSlots(state.slots);
  const working = state.work;
  parts.start.hidden = working;
  parts.work.hidden = !working;
  if (working) {
    if (state.asks) { tab = "person"; tool = before.asks ? tool : "point"; }
    else if (!before.work || before.asks) { tab = "reference"; tool = usable()[0]; }
    else if (state.other && state.other.file !== before.other?.file) { tab = "other"; tool = "point"; }
    if (tab === "other" && !state.other) tab = "reference";
    choose(tab);
  }
  const file = state.file;
  if (file && file.address !== handed && before.session === state.session) {  // a reloaded page was given it before
    const link = make("a");
    link.href = addressOf(file.address);
    link.download = file.name;
    link.click();
    say("Saved " + file.name + ".");
  }
  handed = file ? file.address : "";
  return true;
}

showGallery(props.value.gallery, (id) => send("act", "example", { id }));
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
  if ((event.ctrlKey || event.metaKey) && key === "z" && state.undo) actions.undo();
  else if (event.ctrlKey || event.metaKey) return;
  else if (key === "m" && state.person && tool === "move") actions.mirror();
  else if (key === "a" && state.result) actions.auto();
  else if (key === "o") actions.lines();
  else if (find("[data-tool=" + keys[key] + "]:not([hidden])")) choose(tab, keys[key]);
  else if (find("[data-tab=" + keys[key] + "]:not([hidden])")) choose(keys[key]);
  else return;
  event.preventDefault();
});

session.find().then((found) => { if (found) send("act", "resume"); }, (error) => say(error.message, true));
window.addEventListener("pageshow", (event) => { if (event.persisted && session.name) send("act", "resume"); });
