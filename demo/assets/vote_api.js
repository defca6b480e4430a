// The page's talk with the server. What the rater answered is kept in this browser until the server has it on disk, and
// is sent again, under the same request id, after a lost connection, a full disk or a crash.
const base = `${location.pathname.replace(/\/*$/, "/")}api/`;

class Refusal extends Error {
  constructor(status, body, wait) {
    super(body.message || `the server answered ${status}`);
    Object.assign(this, { status, code: body.code || "", wait });
  }
  // Worth another try: the network, a busy or restarting server, a store that cannot write, a pause.
  get passing() { return this.status === 0 || this.status === 429 || this.status >= 500 || this.code === "paused"; }
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
    throw new Refusal(0, { code: "offline", message: "the server cannot be reached" });
  }
  try {
    answer = JSON.parse(answer);
  } catch { // a sign-in page of the network, or a proxy whose server is away: not the study's word
    throw new Refusal(0, { code: "offline", message: "something else answered in the server's place" });
  }
  if (!response.ok) throw new Refusal(response.status, answer, Number(response.headers.get("Retry-After")) || 0);
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
// each; ``onTrouble`` what holds them up.
function makeOutbox(memory, { onAnswer, onTrouble, onRefused }) {
  let sending = null, wake = null;
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
          if (current(first)) onRefused(error);
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
      put([...all(), { path, token: memory.get("token"), body: { request_id: requestId(), ...body } }]);
      return flush();
    },
  };
}
