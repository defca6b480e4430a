// The way through the study: consent, gates, instructions, trials, the end. State lives on the server and in memory;
// what is on screen follows from both.
const find = (selector) => element.querySelector(selector);
const params = new URLSearchParams(location.search);
const panel = params.get("PROLIFIC_PID") ? "prolific" : params.get("workerId") ? "mturk" : "link";
const participant = params.get("PROLIFIC_PID") || params.get("workerId");
const zoom = makeZoom(), pictures = makePictures();
let study, memory, outbox, view = null, trial = null, onScreen = null, brightness = null;

function stage(name) {
  for (const section of element.querySelectorAll("[data-stage]")) section.hidden = section.dataset.stage !== name;
  find(".progress").hidden = !view || name !== "trial";
  element.scrollTop = 0;
  element.dataset.at = name;
  const heading = find(`[data-stage="${name}"] h2`);
  if (heading && name !== "trial") { heading.tabIndex = -1; heading.focus({ preventScroll: true }); }
}
function banner(text) {
  if (find(".banner").textContent !== text) find(".banner").textContent = text;
  find(".banner").hidden = !text;
}
function fill(name, text) { for (const node of element.querySelectorAll(`[data-text="${name}"]`)) node.textContent = text; }

function begin() {
  if (params.get("assignmentId") === "ASSIGNMENT_ID_NOT_AVAILABLE") return stage("preview");
  if (study.state !== "open") return halted(study.state);
  stage("consent");
}
function tooSmall() { return innerWidth < study.gate.min_width || innerHeight < study.gate.min_height; }
function checkScreen() {
  fill("need", `${study.gate.min_width} × ${study.gate.min_height}`);
  fill("have", `${innerWidth} × ${innerHeight}`);
  if (!tooSmall()) return study.gate.brightness_check && !brightness ? checkBrightness() : enter();
  stage("screen");
}
function checkBrightness(tries = 0) {
  stage("brightness");
  if (tries) banner("Please look once more.");
  const shown = { black: 1 + Math.floor(4 * Math.random()), white: 1 + Math.floor(4 * Math.random()) };
  for (const [field, count] of Object.entries(shown)) {
    const level = field === "black" ? 14 : 241; // visible on a screen that shows the darkest and lightest 6 %
    const places = Array.from({ length: 8 }, (_, at) => at).sort(() => Math.random() - 0.5).slice(0, count);
    find(`.patches .${field}`).replaceChildren(...Array.from({ length: 8 }, (_, at) =>
      makeNode("span", { style: places.includes(at) ? `background: rgb(${level} ${level} ${level})` : "" })));
  }
  const total = shown.black + shown.white;
  find(".counts").replaceChildren(...Array.from({ length: 10 }, (_, counted) => {
    const button = makeNode("button", { type: "button", textContent: counted });
    button.addEventListener("click", () => {
      banner("");
      brightness = { shown: total, counted };
      if (counted === total) enter();
      else if (tries < 1) checkBrightness(tries + 1);
      else end("Thank you for looking", "This study needs a screen that shows very dark and very light tones.", study.codes.screened_out);
    });
    return button;
  }));
}

async function enter() {
  stage("wait");
  const device = { width: innerWidth, height: innerHeight, ratio: devicePixelRatio, touch: matchMedia("(pointer: coarse)").matches, dark: matchMedia("(prefers-color-scheme: dark)").matches, brightness };
  try {
    const answer = await ask("enter", { consent: true, origin: panel, participant, device });
    memory.set("token", answer.token);
    took(answer);
    if (view.outcome) return ended();
    pictures.prepare(view.upcoming);
    showKeys();
    stage("instructions");
  } catch (error) { refused(error, enter); }
}
function showKeys() {
  const keys = [];
  if (study.pairs) for (const choice of ["left", "right", ...study.pairs.answers]) keys.push([ANSWERS[choice].key, ANSWERS[choice].label]);
  if (study.ranking) keys.push(["1 2 3", `rank pictures, the best first, up to ${study.ranking.ranks}`], ["Enter", "send the ranks"]);
  keys.push(["U", "take back the last answer"], ["+ − F", "zoom in, out, whole picture (or wheel, pinch and drag)"]);
  find(".keys").replaceChildren(...keys.flatMap(([key, text]) => [
    makeNode("dt", {}, ...key.split(" ").map((one) => makeNode("kbd", { textContent: one }))), makeNode("dd", { textContent: text })]));
}

function took(answer) {
  view = answer;
  pictures.prepare(view.upcoming);
  showProgress();
}
function showProgress() {
  const done = view.done + outbox.waiting().length;
  find("progress").max = view.total;
  find("progress").value = done;
  find("#vote-count").textContent = `${Math.min(done + 1, view.total)} of ${view.total}`;
  find('.tools [data-do="undo"]').disabled = !view.can_undo && !outbox.waiting().length;
}

// The next trial that has no answer here or on the server; else waits for the server, or ends.
function advance() {
  const given = new Set(outbox.waiting().map((one) => one.body.trial));
  const next = view.upcoming.find((one) => !given.has(one.trial));
  if (!next) return outbox.waiting().length ? waitForServer() : ended();
  if (trial?.trial === next.trial && element.dataset.at === "trial" && onScreen) return;
  if (trial && trial.trial !== next.trial) pictures.forget(trial.trial);
  trial = next;
  stage("trial");
  pictures.prepare(view.upcoming);
  const shown = onScreen = showTrial(trial, pictures.of(trial), study, zoom, give);
  shown.ready.catch(() => { if (onScreen === shown) banner("A picture cannot be loaded. Check your connection and reload the page."); });
  find(".panes").focus({ preventScroll: true });
  showProgress();
}
function waitForServer() { onScreen = null; if (element.dataset.at !== "trial") stage("wait"); }

function give(choice, seconds, ranks) {
  onScreen = null;
  const answer = { trial: trial.trial, choice, seconds: Math.round(1000 * seconds) / 1000, ...(ranks && { ranks }) };
  outbox.add("vote", answer);
  advance();
}
function undo() {
  [onScreen, trial] = [null, null];
  for (const one of find(".answers").children) one.disabled = true;
  outbox.add("undo", {});
}

function ended() {
  onScreen = null;
  if (view.outcome === "failed_checks") return end("The session has ended", "Some answers to the checks were not as asked, so we cannot use this session. Thank you for your time.", view.completion);
  end("Thank you!", `All ${view.total} answers are saved.`, view.completion, { again: true });
}
let halting = false;
function halted(state) {
  halting = true;
  if (state === "paused") end("The study is paused", "What you answered is safe. This page looks again by itself.", null);
  else end("The study is closed", "Thank you for your interest.", null);
  if (state === "paused") setTimeout(start, 15000);
}
function end(heading, reason, code, { again = false, retry = false } = {}) {
  banner("");
  find('[data-stage="end"] h2').textContent = heading;
  find(".reason").textContent = reason;
  find(".code").hidden = !code;
  find(".code output").textContent = code || "";
  const address = code && study?.redirect?.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(name === "code" ? code : params.get(name) ?? ""));
  find('[data-do="redirect"]').hidden = !address;
  if (address) find('[data-do="redirect"]').href = address;
  mturkForm(code);
  find('[data-stage="end"] [data-do="undo"]').hidden = !(again && view?.can_undo);
  find('[data-do="retry"]').hidden = !retry;
  find('[data-do="next-person"]').hidden = !(again && panel === "link");
  stage("end");
}
// Mechanical Turk is told by a form of its own; nowhere else is posted to.
function mturkForm(code) {
  const form = find('[data-stage="end"] form');
  let host = "";
  try { host = new URL(params.get("turkSubmitTo")).hostname; } catch { /* none */ }
  const known = /(^|\.)mturk\.com$/.test(host) && params.get("turkSubmitTo").startsWith("https:");
  form.hidden = !(known && view?.outcome);
  if (form.hidden) return;
  form.action = `${new URL(params.get("turkSubmitTo")).origin}/mturk/externalSubmit`;
  form.assignmentId.value = params.get("assignmentId") || "";
  form.code.value = code || view.outcome;
}
function refused(error, again) {
  if (!(error instanceof Refusal)) throw error;
  if (error.code === "paused" || error.code === "closed") return halted(error.code);
  if (error.code === "full") return end("The study is full", "All places are taken. Thank you for your interest.", study.codes.screened_out);
  if (error.code === "screen") return stage("screen");
  if (error.code === "token") {
    memory.set("token", null);
    memory.set("outbox", null);
    begin();
    return banner("Your earlier session cannot be continued here, so this is a new one.");
  }
  end("Something is in the way", `We could not go on: ${error.message}.`, null, { retry: true });
  find('[data-do="retry"]').onclick = again;
}

async function start() {
  halting = false;
  try {
    study = await ask("study");
    memory ??= makeMemory(`study:${base}${study.name}:${participant || "link"}`);
    outbox ??= makeOutbox(memory, {
      onAnswer(answer, left) {
        banner("");
        took(answer);
        if (!left && !onScreen && !halting) advance();
      },
      onTrouble(error, left) {
        banner(`${left === 1 ? "Your last answer is" : `${left} answers are`} not saved yet (${error.message}). Keep this page open; it tries again by itself.`);
      },
      onRefused(error) {
        if (error.code === "conflict" || error.code === "invalid") { trial = null; start(); } else refused(error, start);
      },
    });
    document.title = study.title;
    find("h1").textContent = study.title;
    fill("consent", study.consent);
    fill("instructions", study.instructions);
    const resume = location.hash.match(/resume=([\w.]+)/);
    if (resume) {
      memory.set("token", resume[1]);
      history.replaceState(null, "", location.pathname + location.search);
    }
    if (!memory.get("token")) return begin();
    await outbox.flush();
    took(await ask("progress", null, memory.get("token")));
    if (view.outcome) return ended();
    if (study.state !== "open") return halted(study.state);
    advance();
  } catch (error) { refused(error, start); }
}

const actions = {
  agree: checkScreen,
  decline: () => end("Thank you", "You have not taken part, and nothing was stored.", study.codes.no_consent),
  "too-small": () => end("Thank you for looking", "This study needs a larger window.", study.codes.screened_out),
  start: advance,
  undo,
  "zoom-in": zoom.in,
  "zoom-out": zoom.out,
  "zoom-fit": zoom.fit,
  copy: () => navigator.clipboard?.writeText(find(".code output").textContent).then(() => { find('[data-do="copy"]').textContent = "Copied"; }),
  elsewhere() {
    const line = find(".elsewhere"), input = find(".elsewhere input");
    line.hidden = !line.hidden;
    input.value = `${location.origin}${location.pathname}${location.search}#resume=${memory.get("token")}`;
    if (!line.hidden) { input.focus(); input.select(); }
  },
  "next-person"() {
    memory.set("token", null);
    [view, trial, onScreen, brightness] = [null, null, null, null];
    pictures.clear();
    start();
  },
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  actions[button?.dataset.do]?.();
  // A clicked button must not take the next press of Space.
  if (element.dataset.at === "trial" && event.detail && event.target.closest("button")) find(".panes").focus({ preventScroll: true });
});
window.addEventListener("resize", () => {
  fill("have", `${innerWidth} × ${innerHeight}`);
  if (element.dataset.at === "screen" && !tooSmall()) checkScreen();
});
document.addEventListener("keydown", (event) => {
  if (!element.isConnected || element.dataset.at !== "trial" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  // Someone who goes through the buttons by keyboard presses the one in focus.
  if (event.target.closest("button") && [" ", "Enter"].includes(event.key)) return;
  const tools = { u: "undo", U: "undo", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", f: "zoom-fit", F: "zoom-fit" };
  if (onScreen?.key(event.key)) event.preventDefault();
  else if (tools[event.key]) {
    event.preventDefault();
    find(`.tools [data-do="${tools[event.key]}"]`).click();
  } else if (event.key === " ") event.preventDefault();
});
start();
