// The admin page: asks for the study's figures every few seconds, and sends what the administrator decides.
const base = `${location.pathname.replace(/\/*$/, "")}/api/`;
const find = (selector) => document.querySelector(selector);
const STATES = { open: "open", paused: "paused", closed: "closed" };
// Remembered once the server has taken it, and forgotten once it no longer does.
let token = location.hash.slice(1) || sessionStorage.getItem("study-admin") || "", timer = null, found = "";
const hideToken = () => history.replaceState(null, "", location.pathname);

async function ask(path, body) {
  const headers = { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) };
  const response = await fetch(base + path, { headers, cache: "no-store", ...(body && { method: "POST", body: JSON.stringify(body) }) });
  if (response.ok) return response;
  const { message, code } = await response.json().catch(() => ({}));
  throw Object.assign(new Error(message || `the server answered ${response.status}`), { code });
}
function problem(text) { find(".error").textContent = text; find(".error").hidden = !text; }
function cell(tag, text, more = {}) { return Object.assign(document.createElement(tag), { textContent: text ?? "" }, more); }
function row(...cells) { const line = document.createElement("tr"); line.append(...cells); return line; }

async function refresh() {
  clearTimeout(timer);
  try {
    show(await (await ask("summary")).json());
    sessionStorage.setItem("study-admin", token);
    hideToken();
    problem("");
    timer = setTimeout(refresh, 5000);
  } catch (error) {
    problem(token ? `${error.message}` : "");
    if (error.code === "token" || !token) {
      hideToken();
      if (sessionStorage.getItem("study-admin") === token) sessionStorage.removeItem("study-admin");
      find(".enter").hidden = false;
      find(".board").hidden = true;
    } else timer = setTimeout(refresh, 5000);
  }
}

function show({ name, title, state, seats, methods, wins, raters }) {
  find(".enter").hidden = true;
  find(".board").hidden = false;
  document.title = `${name} (${STATES[state]})`;
  find(".board h1").textContent = title;
  const real = raters.filter((one) => !one.simulated), simulated = raters.length - real.length;
  const count = (test) => real.filter(test).length;
  find("#summary").textContent = [
    name, `${count((one) => one.outcome === "complete")} of ${seats} complete`, `${count((one) => !one.outcome && one.votes)} under way`,
    `${count((one) => one.outcome === "failed_checks")} failed the checks`, `${count((one) => one.excluded)} excluded`,
    `${real.reduce((sum, one) => sum + one.votes, 0)} answers`, ...(simulated ? [`${simulated} simulated raters, kept apart`] : []),
  ].join(" · ");
  find(".state").textContent = STATES[state];
  const current = { open: "open", paused: "pause", closed: "close" }[state];
  for (const button of document.querySelectorAll("[data-state]")) button.disabled = button.dataset.state === current;
  showPairs(methods, wins);
  showRaters(raters);
}

function showPairs(methods, { wins, other }) {
  const table = find("#pairs");
  table.closest("section").hidden = !methods.length;
  const body = methods.map((method, at) => row(cell("th", method, { scope: "row" }), ...methods.map((_, across) => {
    if (at === across) return cell("td", "–");
    const all = wins[at][across] + wins[across][at] + other[at][across], decided = wins[at][across] + wins[across][at];
    const one = cell("td", wins[at][across], { className: "shade" });
    one.style.setProperty("--share", decided ? wins[at][across] / decided : 0);
    one.append(cell("small", ` / ${all}`));
    return one;
  })));
  table.replaceChildren(row(cell("td"), ...methods.map((method) => cell("th", method, { scope: "col" }))), ...body);
}

const share = (value) => (value === null ? "" : `${Math.round(100 * value)} %`);
function showRaters(raters) {
  const head = ["rater", "from", "answers", "outcome", "failed checks", "median s", "chose A", "last seen", "", "reason"];
  const lines = raters.map((one) => {
    const act = one.excluded ? "include" : "exclude";
    const button = cell("button", act === "exclude" ? "Exclude" : "Include", { ariaLabel: `${act} rater ${one.rater}` });
    button.addEventListener("click", async () => {
      const reason = await why(`${act === "exclude" ? "Exclude" : "Include"} rater ${one.rater}`);
      if (reason) decide("rater", { action: act, rater: one.rater, reason });
    });
    const action = cell("td", "", { className: "keep" });
    action.append(button);
    const line = row(
      cell("td", one.rater), cell("td", one.origin), cell("td", `${one.votes} / ${one.planned}`), cell("td", one.outcome ?? "under way"),
      cell("td", one.failed_checks), cell("td", one.median_seconds?.toFixed(1)), cell("td", share(one.left_share)),
      cell("td", new Date(one.last_seen).toLocaleString()), action, cell("td", one.excluded, { className: "keep" }));
    line.classList.toggle("excluded", Boolean(one.excluded));
    line.classList.toggle("found", one.rater === found);
    return line;
  });
  find("#raters").replaceChildren(row(...head.map((text) => cell("th", text, { scope: "col" }))), ...lines);
}

function why(heading) {
  const dialog = find("dialog"), form = dialog.querySelector("form");
  dialog.querySelector("h2").textContent = heading;
  form.reason.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? form.reason.value.trim() : ""), { once: true }));
}
async function decide(path, body) {
  try { await ask(path, body); } catch (error) { return problem(error.message); }
  refresh();
}

for (const button of document.querySelectorAll("[data-state]")) {
  button.addEventListener("click", async () => {
    const reason = await why(`${button.textContent} the study`);
    if (reason) decide("state", { action: button.dataset.state, reason });
  });
}
for (const button of document.querySelectorAll("[data-export]")) {
  button.addEventListener("click", async () => {
    try {
      const response = await ask(`export/${button.dataset.export}`);
      const name = response.headers.get("Content-Disposition").match(/"(.+)"/)[1];
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await response.blob()), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    } catch (error) { problem(error.message); }
  });
}
find("#find").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { origin, participant } = event.target;
  try {
    found = (await (await ask("find", { origin: origin.value, participant: participant.value })).json()).rater;
    event.target.querySelector("output").textContent = found;
    refresh();
  } catch (error) { problem(error.message); }
});
find(".enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token = event.target.token.value.trim();
  refresh();
});
refresh();
