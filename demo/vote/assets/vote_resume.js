// A link to go on with a session that was begun elsewhere. Nobody's session is put aside for one that a stranger's link
// brings: the server sees the link's token first, and where this browser holds answers of another session the rater is
// asked. The session that is put aside stays in this browser, one click away.
let decide = null;

async function takeLink() {
  const link = location.hash.match(/resume=([\w.]+)/)?.[1], own = memory.get("token");
  if (!link) return;
  const [theirs, mine] = [await known(link), own && own !== link ? await known(own) : null];
  history.replaceState(null, "", location.pathname + location.search); // not before: a lost connection must not lose it
  if (!theirs) return missed("That link opens no session of this study. Nothing has changed here.");
  if (mine && (mine.done || outbox.waiting().length)) {
    fill("mine", `${mine.done} of ${mine.total} answers`);
    fill("theirs", `${theirs.done} of ${theirs.total} answers`);
    stage("which");
    if (!(await new Promise((resolve) => { decide = resolve; }))) return;
    memory.set("other", own);
    stage("wait");
  }
  memory.set("token", link);
}
// Where the session of a token stands, null if the server knows no such session.
async function known(token) {
  try { return await ask("progress", null, token); } catch (error) {
    if (error.code === "token") return null;
    throw error;
  }
}
function showOther() { find(".other").hidden = !memory.get("other"); }
function swap() {
  const [token, other] = [memory.get("other"), memory.get("token")];
  memory.set("token", token);
  memory.set("other", other);
  view = null;
  missed("");
  leave("wait");
  start();
}
