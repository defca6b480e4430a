// The page: what is seen of the state that the server answered last, and what its buttons and keys do.
const EMPTY = { turn: 0, slots: {}, work: false };
let state = EMPTY, tab = "reference", tool = "point";

const tools = makeTools({
  place: (placement) => send("act", "place", placement),
  who: (point) => layers.at(point),
  select: (at) => send("act", "select", { at }),
  prompt: (kind, points, brush) => send("act", "prompt", { target: tab, kind, points, ...brush }),
});
// The sliders as they are, on the picture at once.
const blend = () => { if (tab === "reference") picture.blend(amounts.read(), adjustments.read()); };
const amounts = makeAmounts(blend, (now) => send("adjust", "adjust", now));
const adjustments = makeNumbers(find(".by-hand"), Object.fromEntries(Object.entries(props.value.adjustments).map(
  ([name, range]) => [name, { ...range, label: name[0].toUpperCase() + name.slice(1), neutral: 0 }],
)), blend, (now) => send("adjust", "correct", now));
const own = makeNumbers(find(".own-colours"), {
  share: { label: "Reference's own colours", least: 0, most: 100, step: 1, unit: "%", neutral: 0 },
}, () => {}, ({ share }) => send("act", "transfer", { ...state.transfer, r2: 1 - share / 100 }));
const codes = makeNumbers(find(".codes"), Object.fromEntries(["r1", "r2"].map(
  (name) => [name, { label: name, least: 0, most: 2, step: 0.01, unit: "", neutral: 1 }],
)), () => {}, (now) => send("act", "transfer", now));
const edge = makeEdge((now) => send("act", "edge", now));

async function take(kind, file) {
  if (tooLarge(file)) return say(tooLarge(file), true);
  const drop = find(".drop[data-kind=" + kind + "]");
  if (drop) drop.classList.add("waiting");
  const upload = async () => {
    showBusy("Uploading");
    const { upload } = await session.upload(file, (share) => { if (share < 1) showBusy("Uploading " + Math.round(100 * share) + " %"); });
    return upload;
  };
  try {
    const first = await upload().catch(async (error) => {
      if (error.code !== "gone" || !await recover()) throw error;
      return upload();
    });
    if (kind === "recipe") return send("act", "recipe", { upload: first, name: file.name }, upload);
    const words = ["person", "added"].includes(kind) ? "Cutting the person out" : WORDS.open, id = randomId();
    send("act", "open", { kind, upload: first, name: file.name, id, words }, upload);
    taken.set(id, file);
  } catch (error) {
    showBusy("");
    if (error.code === "gone") fail("act", { name: "open" }, error);
    else say(error.message, true, "Try again", () => take(kind, file));
  }
}
const taken = new Map();  // files that are on their way, by id
makeDrops(take);
const layers = makeLayers({
  select: (at) => send("act", "select", { at }),
  show: (at, shown) => send("act", "show", { at, shown }),
  reorder: (at, to) => send("act", "reorder", { at, to }),
  remove: (at) => send("act", "remove", { at }),
});

// Which picture is on the canvas, whether the result is seen on it, what the server calls it, and who else is on it.
function scene() {
  if (tab === "other" && state.other) return [state.other, null, "other", null];
  if (tab === "person") return [state.cutout || state.photo, null, "person", null];
  return [state.photo, state.result, "photo", state.rest];
}

// Where the person is on that picture, x0, y0, x1, y1 in shares of it, or null.
function focus() {
  if (tab === "person" && state.cutout) return state.person && state.person.box;
  if (tab === "other" || !state.result) return null;
  const { x, y, width, height } = state.result, whole = state.photo;
  return [x / whole.width, y / whole.height, (x + width) / whole.width, (y + height) / whole.height];
}

function usable() {
  return [...(tab === "reference" && state.person ? ["move"] : []), "point", ...STROKES];
}

const canUndo = () => state.history.at > 0;
const canRedo = () => state.history.at < state.history.steps.length - 1;

function outline(name, path) {
  findAll("." + name + " path", parts.lines).forEach((line) => line.setAttribute("d", path));
}

function showOverlay(selector, file) {
  const image = find(selector);
  image.hidden = !file;
  if (file) image.src = addressOf(file);
}

const usual = {};  // the tool that a tab was left with
function choose(name, wanted) {
  if (name !== tab) {
    usual[tab] = STROKES.includes(tool) ? "" : tool;  // what was painted there is not meant again
    tool = usual[name];
  }
  tab = name;
  tool = usable().includes(wanted || tool) ? wanted || tool : usable()[0];
  render();
}

// The picture on the canvas. What is in a hand, or was sent and is not answered yet, stays as the hand has it.
function show() {
  const [whole, result, name, rest] = scene();
  picture.show(name, whole, result, rest, state.active, focus()).then((shown) => {
    if (!shown) return;
    const asked = isWaiting("adjust", "adjust") || isWaiting("adjust", "correct");
    if (amounts.handling || adjustments.handling || asked) blend();
    else { amounts.settle(state.amounts); adjustments.settle(state.adjustments); closeup.blend(state.amounts, state.adjustments); }
    if (!own.handling && !codes.handling && !isWaiting("act", "transfer")) {
      own.settle({ share: Math.round(100 * clamp(1 - state.transfer.r2, 0, 1)) });
      codes.settle(state.transfer);
    }
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
  parts.brushes.hidden = !STROKES.includes(tool);
  find("[data-do=mirror]").hidden = find(".angle").hidden = tool !== "move";
  find("[data-do=everybody]").hidden = tool !== "point" || tab !== "person";
  find("[data-do=another]").hidden = tool !== "point" || !(tab === "person" ? state.mask : state.clicked.includes(tab));
  layers.show(state);
  find(".file[data-kind=mask]").hidden = placed || tab !== "person" || tool !== "point";
  find("[data-do=undo]").disabled = !canUndo();
  find("[data-do=redo]").disabled = !canRedo();
  showHistory(state.history, (at) => send("act", "go", { at }));
  find(".fold.edge").hidden = !state.mask;
  if (!isWaiting("act", "edge")) edge.settle(state.edge, placed);
  maskView.show(tab === "person" ? state.mask : null).catch((error) => say(error.message, true));
  parts.frame.dataset.target = tab;
  const asked = state.asks && tab === "person" ? "Who was pasted? Click them, or drag a box around them." : HINTS[tab + " " + tool];
  parts.hint.textContent = forDevice(asked);
  const cutting = tab === "person" && placed;
  outline("foreground", tab === "other" ? "" : tab === "person" ? lines.cutout : lines.foreground);
  outline("reference", tab === "other" ? lines.other : cutting ? "" : lines.reference);
  const outside = "M0 0H" + whole.width + "V" + whole.height + "H0Z";
  find("path.shade").setAttribute("d", cutting && lines.cutout ? outside + lines.cutout : "");
  parts.frame.setAttribute("aria-label", (tab === "person" ? "The person's picture" : tab === "other" ? "The other photo" : "The photo") +
    (state.label ? ", look taken from: " + state.label : ""));
  const where = tab === "other" ? "other" : "photo", listed = state.suggestions[where];
  const takeIt = (index) => {
    if (tab === "person") choose("reference");
    send("act", "take", { where, index });
  };
  showStrip(where, listed, takeIt, (path) => {
    outline("suggested", tab === "person" ? "" : path);
  });
  const here = state.elsewhere === (where === "other") ? state.label.toLowerCase() : state.elsewhere ? "the other photo" : "the photo";
  parts.from.textContent = state.recipe ? "the recipe " + state.label : !state.result || listed.some((entry) => entry.taken) ? "" : here;  // no card says it
  findAll("[data-save]").forEach((button) => { button.disabled = !state.saves; });
  find("[data-do=auto]").disabled = !state.saves;
  const [lies, matched] = [state.elsewhere ? "other" : "reference", state.matched];
  showOverlay(".matched.person", tab === "reference" && matched ? matched.person : null);
  showOverlay(".matched.reference", tab === lies && matched ? matched.reference : null);
  find("[data-do=matched]").setAttribute("aria-pressed", Boolean(matched));
  find(".matching").hidden = !matched;
  parts.far.textContent = state.far && "The look ends here, and the person is still clearly " + state.far + " than the reference. " +
    "A strength above 100 % or an exposure by hand goes further.";
  parts.far.hidden = !state.far;
  saves.show(state.photo);
  if (state.result && listed.some((entry) => !entry.thumb)) send("thumbnails", "thumbnails", { where });
}

// What changed, for those who do not see it: the step that was made or gone to, and whose look is taken.
function tell(before) {
  const { at, steps } = state.history, was = before.history;
  if (!steps.length || (was && was.at === at && was.steps.length === steps.length)) return;
  const back = was && at < was.at ? "Back to: " : "";
  parts.said.textContent = back + steps[at] + ". Look taken from: " + state.label + ".";
}

// The state is what the server said last, or nothing. Of two answers that cross, the newer counts; false for the other,
// of which only its sentence is heard.
function apply(answer) {
  if (answer !== EMPTY && answer.session !== session.name) return false;
  if (answer.message) say(answer.message.text, answer.message.error);
  if (answer !== EMPTY && answer.session === state.session && answer.turn <= state.turn) return false;
  const before = state;
  state = answer;
  session.keep(Object.keys(state.slots).length > 0);
  showSlots(state.slots);
  const working = state.work;
  parts.start.hidden = working;
  parts.work.hidden = !working;
  if (working) {
    if (state.asks) { tab = "person"; tool = before.asks ? tool : "point"; }
    else if (!before.work || before.asks) { tab = "reference"; tool = usable()[0]; }
    else if (state.other && state.active === before.active && state.other.file !== before.other?.file) { choose("other", "point"); }
    choose(tab === "other" && !state.other ? "reference" : tab);
    if (!before.work) parts.frame.focus({ preventScroll: true });  // where the work goes on
    tell(before);
  }
  for (const [id, file] of taken) {
    if (!state.originals?.includes(id)) continue;
    keeper.original(id, file);
    taken.delete(id);
  }
  if (answer !== EMPTY) keeper.note(state);
  return true;
}

showGallery(props.value.gallery, (id) => {
  taken.clear();
  keeper.forget();
  send("act", "example", { id });
});
findAll("[data-tab]").forEach((button) => button.addEventListener("click", () => choose(button.dataset.tab)));
findAll("[data-tool]").forEach((button) => button.addEventListener("click", () => choose(tab, button.dataset.tool)));
findAll("[data-save]").forEach((button) => button.addEventListener("click", () => send("save", "save", { what: button.dataset.save, ...saves.asked() })));
let sure = 0;
const actions = {
  auto: () => { choose("reference"); send("act", "auto"); },
  undo: () => { if (canUndo()) send("act", "undo"); },
  redo: () => { if (canRedo()) send("act", "redo"); },
  restart: () => {  // nothing brings the work back, so it takes a second click
    const button = find("[data-do=restart]"), calm = () => { sure = 0; button.textContent = "Start over"; };
    button.textContent = "Sure? Start over";
    if (!sure) { sure = setTimeout(calm, 4000); return; }
    clearTimeout(sure);
    calm();
    tab = "reference";
    say("");
    taken.clear();
    keeper.forget();
    series.stop();
    send("act", "restart");
  },
  mirror: () => tools.mirror(),
  lines: () => {
    const button = find("[data-do=lines]"), shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    parts.frame.toggleAttribute("data-plain", !shown);
  },
};
Object.assign(actions, {
  swap: () => send("act", "swap"),
  everybody: () => send("act", "everybody"),
  another: () => send("act", "another", { target: tab }),
  matched: () => send("act", "matched", { shown: !state.matched }),
  neutral: () => adjustments.reset(),
  fit: () => view.fit(),
  actual: () => view.actual(tools.pointer),
  larger: () => view.by(1.25),
  smaller: () => view.by(1 / 1.25),
});
for (const name in actions) find("[data-do=" + name + "]").addEventListener("click", actions[name]);

const keys = { v: "move", p: "point", b: "brush", e: "erase", s: "hint", r: "reference", c: "person", x: "other" };
const also = { 0: "fit", 1: "actual", o: "lines", n: "another" };
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=range]), textarea, select");
  if (!element.isConnected || parts.work.hidden || typing || event.altKey) return;
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  if (command && key === "z") actions[event.shiftKey ? "redo" : "undo"]();
  else if (event.ctrlKey && key === "y") actions.redo();
  else if (command) return;
  else if (key === "m" && state.person && tool === "move") actions.mirror();
  else if (key === "a" && state.result) actions.auto();
  else if (also[key] && !find("[data-do=" + also[key] + "]").hidden) actions[also[key]]();
  else if (key === "h") parts.frame.setAttribute("data-bare", "");
  else if (key === " " && !event.target.closest("button, summary, input, a, label")) tools.space = true;
  else if ("[]".includes(key) && !parts.brushes.hidden) strokes[key === "]" ? "larger" : "smaller"]();
  else if (find("[data-tool=" + keys[key] + "]:not([hidden])")) choose(tab, keys[key]);
  else if (find("[data-tab=" + keys[key] + "]:not([hidden])")) choose(keys[key]);
  else return;
  event.preventDefault();
});
function letGo(event) {
  if (event.type === "blur" || event.key === " ") tools.space = false;
  if (event.type === "blur" || event.key.toLowerCase() === "h") parts.frame.removeAttribute("data-bare");
}
document.addEventListener("keyup", letGo);
window.addEventListener("blur", letGo);

session.find().then((found) => { if (found) send("act", "resume"); }, (error) => {
  say(error.message, true, "Continue here", () => { error.take(); send("act", "resume"); });
});
window.addEventListener("pageshow", (event) => { if (event.persisted && session.name) send("act", "resume"); });
