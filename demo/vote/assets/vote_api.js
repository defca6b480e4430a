// The page's talk with the server. What the rater answered is kept in this browser until the server has it on disk, and
// is sent again, under the same request id, after a lost connection, a full disk or a crash.
const base = `${location.pathname.replace(/\/*$/, "/")}api/`;

// The study's own words for no. The first are worth another try: a busy server, a store that cannot write, a pause.
const PASSING = ["busy", "store", "paused"], FINAL = ["closed", "full", "crowded", "session", "screen", "conflict", "invalid", "token"];

class Refusal extends Error {
  constructor(code, message, wait = 0) {
    super(message);
    Object.assign(this, { code, wait });
  }
  get passing() { return !FINAL.includes(this.code); }
}

async function ask(path, body, token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const options = { headers, cache: "no-store", signal: AbortSignal.timeout(30_000) };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body), headers: { ...headers, "Content-Type": "application/json" } });
  let response, answer;
  try {
    response = await fetch(base + path, options);
    answer = await response.text();
  } catch {
    throw new Refusal("offline", "the server cannot be reached");
  }
  try { answer = JSON.parse(answer); } catch { answer = null; }
  // A sign-in page of the network, a proxy whose server is away, an app without the study: not the study's word.
  const known = response.ok ? answer?.[path === "study" ? "state" : "upcoming"] : [...PASSING, ...FINAL].includes(answer?.code);
  if (!known) throw new Refusal("offline", "something else answered in the server's place");
  if (!response.ok) throw new Refusal(answer.code, answer.message, Number(response.headers.get("Retry-After")) || 0);
  return answer;
}

const requestId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Small facts that survive a reload: the rater's token, and answers on their way. A private window or a full disk may
// refuse to store them; then they last as long as the page.
function makeMemory(key) {
  const unstored = new Map();
  return {
    get(name) {
      if (unstored.has(name)) return unstored.get(name);
      try { return JSON.parse(localStorage.getItem(`${key}:${name}`)); } catch { return null; }
    },
    set(name, value) {
      try {
        if (value === null) localStorage.removeItem(`${key}:${name}`);
        else localStorage.setItem(`${key}:${name}`, JSON.stringify(value));
        unstored.delete(name);
      } catch { unstored.set(name, value); }
    },
  };
}

// Sends answers one by one, in order, each under the token it was given with. ``onAnswer`` gets the server's view after
// each; ``onTrouble`` what holds them up; ``onMissed`` how many were refused for good since the last one was given.
function makeOutbox(memory, { onAnswer, onTrouble, onMissed, onRefused }) {
  let sending = null, wake = null, lost = 0;
  const all = () => memory.get("outbox") || [];
  const put = (list) => memory.set("outbox", list.length ? list : null);
  const current = (one) => one.token === memory.get("token");
  const waiting = () => all().filter(current);

  async function run() {
    for (let tries = 0; all().length; ) {
      const [first] = all();
      const done = () => put(all().filter((one) => one.body.request_id !== first.body.request_id));
      try {
        const answer = await ask(first.path, first.body, first.token);
        done();
        tries = 0;
        if (current(first)) onAnswer(answer, waiting().length);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (!error.passing) {
          done();
          if (first.path === "vote") onMissed(error, ++lost);
          if (current(first)) onRefused(error, first.path);
          continue;
        }
        tries += 1;
        onTrouble(error, waiting().length);
        const seconds = Math.max(error.wait, Math.min(15, 0.5 * 2 ** tries));
        await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 1000 * seconds); });
      }
    }
  }

  function flush() {
    sending ??= run().finally(() => { sending = null; });
    return sending;
  }
  window.addEventListener("online", () => wake?.());
  return {
    flush,
    waiting,
    add(path, body) {
      lost = 0;
      put([...all(), { path, token: memory.get("token"), body: { request_id: requestId(), ...body } }]);
      return flush();
    },
  };
}
