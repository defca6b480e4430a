// The way through the study: consent, gates, instructions, trials; vote_end.js has its ends. State lives on the server
// and in memory; what is on screen follows from both. Server answers, clicks and reloads may come in any order, so nothing
// here is kept beside the server's ``view`` but ``onScreen``, the trial that takes answers, if there is one: it knows
// which trial it is, and once closed it is silent for good.
const find = (selector) => element.querySelector(selector);
const params = new URLSearchParams(location.search);
const panel = params.get("PROLIFIC_PID") ? "prolific" : params.get("workerId") ? "mturk" : "link";
const participant = params.get("PROLIFIC_PID") || params.get("workerId");
const session = participant ? params.get(panel === "prolific" ? "SESSION_ID" : "assignmentId") || null : null;
const zoom = makeZoom(), pictures = makePictures();
let study, memory, outbox, view = null, onScreen = null, brightness = null;
// A ``start`` or ``enter`` that a later one has overtaken ends where it waits. While one runs, and while the study is
// halted, an answer from the server does not bring the next trial on screen.
let turns = 0, held = true, lookAgain = null;

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
// Stays until the next answer is given, whatever the banner says meanwhile.
function missed(text) {
  find(".missed").textContent = text;
  find(".missed").hidden = !text;
}
function fill(name, text) { for (const node of element.querySelectorAll(`[data-text="${name}"]`)) node.textContent = text; }

function begin() {
  if (params.get("assignmentId") === "ASSIGNMENT_ID_NOT_AVAILABLE") return stage("preview");
  if (study.state !== "open") return halted(study.state);
  stage("consent");
}
async function enter() {
  const turn = ++turns;
  clearTimeout(lookAgain);
  stage("wait");
  const device = { width: innerWidth, height: innerHeight, ratio: devicePixelRatio, touch: matchMedia("(pointer: coarse)").matches, dark: matchMedia("(prefers-color-scheme: dark)").matches, brightness };
  try {
    const answer = await ask("enter", { consent: true, origin: panel, participant, session, device });
    if (turn !== turns) return;
    memory.set("token", answer.token);
    took(answer);
    held = false;
    if (view.outcome) return ended();
    showKeys();
    stage("instructions");
  } catch (error) { if (turn === turns) refused(error, enter); }
}

function took(answer) {
  view = answer;
  pictures.prepare(view.upcoming);
  showProgress();
}
function showProgress() {
  const waiting = outbox.waiting(), taken = waiting.filter((one) => one.path === "undo").length;
  const done = Math.max(0, view.done + waiting.length - 2 * taken);
  find("progress").max = view.total;
  find("progress").value = done;
  find("#vote-count").textContent = `${Math.min(done + 1, view.total)} of ${view.total}`;
  find('.tools [data-do="undo"]').disabled = !done;
}

// The next trial that has no answer here or on the server; else waits for the server, or ends.
function advance() {
  const waiting = outbox.waiting(), given = new Set(waiting.map((one) => one.body.trial));
  const next = view.upcoming.find((one) => !given.has(one.trial));
  if (!next) return waiting.length ? leave() : ended();
  if (onScreen?.trial.trial === next.trial && element.dataset.at === "trial") return;
  leave(null);
  stage("trial");
  const shown = onScreen = showTrial(next, pictures.of(next), study, zoom, (...answer) => give(next, ...answer));
  const slow = setTimeout(() => { if (onScreen === shown && !outbox.waiting().length) banner("The pictures are slow to arrive. Keep this page open; it tries again by itself."); }, 8000);
  shown.ready.then(() => { clearTimeout(slow); if (onScreen === shown && !outbox.waiting().length) banner(""); });
  find(".panes").focus({ preventScroll: true });
  showProgress();
}
// Nothing takes answers any more; the last trial stays in sight unless there is another stage to show.
function leave(name = element.dataset.at === "trial" ? null : "wait") {
  onScreen?.close();
  onScreen = null;
  hideLink();
  if (name) stage(name);
}

function give(trial, choice, seconds, ranks) {
  onScreen = null;
  send("vote", { trial: trial.trial, choice, seconds: Math.round(1000 * seconds) / 1000, ...(ranks && { ranks }) });
  advance();
}
function undo() {
  leave();
  send("undo", {});
  showProgress();
}
function send(path, body) {
  missed("");
  outbox.add(path, body);
}

function openOutbox() {
  return makeOutbox(memory, {
    onAnswer(answer, left) {
      banner("");
      took(answer);
      if (!left && !held) advance();
    },
    onTrouble(error, left) {
      banner(`${left === 1 ? "Your last answer is" : `${left} answers are`} not saved yet (${error.message}). Keep this page open; it tries again by itself.`);
    },
    onMissed(error, count) {
      const why = error.code === "conflict" ? "another tab or device was quicker, or the session had ended" : error.message;
      missed(`${count === 1 ? "One answer was" : `${count} answers were`} not taken: ${why}.`);
    },
    onRefused(error, path) {
      if (path === "undo") missed(`The answer was not taken back: ${error.message}.`);
      // The server knows where the session stands.
      if (error.code === "conflict" || error.code === "invalid") start();
      else refused(error, start);
    },
  });
}

async function start() {
  const turn = ++turns;
  held = true;
  clearTimeout(lookAgain);
  if (onScreen) leave("wait");
  try {
    const told = await ask("study");
    if (turn !== turns) return;
    study = told;
    memory ??= makeMemory(`study:${base}${study.name}:${participant || "link"}`);
    outbox ??= openOutbox();
    document.title = study.title;
    find("h1").textContent = study.title;
    fill("consent", study.consent);
    fill("instructions", study.instructions);
    await takeLink();
    if (turn !== turns) return;
    showOther();
    if (!memory.get("token")) return begin();
    await outbox.flush();
    if (turn !== turns) return;
    const progress = await ask("progress", null, memory.get("token"));
    if (turn !== turns) return;
    took(progress);
    if (view.outcome) { held = false; return ended(); }
    if (study.state !== "open") return halted(study.state);
    held = false;
    checkScreen();
  } catch (error) { if (turn === turns) refused(error, start); }
}

// The link is the rater's alone: it leaves the page with the pair that it was asked for at.
function hideLink() {
  find(".elsewhere").hidden = true;
  find(".elsewhere input").value = "";
}

const actions = {
  agree: checkScreen,
  decline: () => end("Thank you", "You have not taken part, and nothing was stored.", study.codes.no_consent),
  "too-small": () => end("Thank you for looking", "This study needs a larger window.", study.codes.screened_out),
  start: advance,
  undo,
  swap,
  "keep-mine": () => decide?.(false),
  "take-link": () => decide?.(true),
  "zoom-in": zoom.in,
  "zoom-out": zoom.out,
  "zoom-fit": zoom.fit,
  copy: () => navigator.clipboard?.writeText(find(".code output").textContent).then(() => { find('[data-do="copy"]').textContent = "Copied"; }),
  elsewhere() {
    const line = find(".elsewhere"), input = find(".elsewhere input");
    if (!line.hidden) return hideLink();
    line.hidden = false;
    input.value = `${location.origin}${location.pathname}${location.search}#resume=${memory.get("token")}`;
    input.focus();
    input.select();
  },
  "next-person"() {
    for (const name of ["token", "other"]) memory.set(name, null);
    [view, brightness] = [null, null];
    missed("");
    leave("wait");
    start();
  },
};
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  actions[button?.dataset.do]?.();
  // A clicked button must not take the next press of Space. The link keeps the focus, to be copied.
  const clicked = event.detail && event.target.closest("button") && document.activeElement !== find(".elsewhere input");
  if (element.dataset.at === "trial" && clicked) find(".panes").focus({ preventScroll: true });
});
window.addEventListener("resize", () => {
  fill("have", `${innerWidth} × ${innerHeight}`);
  if (element.dataset.at === "screen" && !tooSmall()) checkScreen();
});
// A link to go on from another device, pasted where the page is open already.
window.addEventListener("hashchange", () => { if (location.hash.includes("resume=")) { leave("wait"); start(); } });
document.addEventListener("keydown", (event) => {
  if (!element.isConnected || element.dataset.at !== "trial" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  // Someone who goes through the buttons by keyboard presses the one in focus. The link is read-only: keys mean here what
  // they mean everywhere.
  if (event.target.closest("button") && [" ", "Enter"].includes(event.key)) return;
  const tools = { u: "undo", U: "undo", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", f: "zoom-fit", F: "zoom-fit" };
  if (onScreen?.key(event.key)) event.preventDefault();
  else if (tools[event.key]) {
    event.preventDefault();
    find(`.tools [data-do="${tools[event.key]}"]`).click();
  } else if (event.key === " ") event.preventDefault();
});
start();
