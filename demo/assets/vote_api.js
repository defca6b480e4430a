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
  const options = { headers, cache: "no-store" };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body), headers: { ...headers, "Content-Type": "application/json" } });
  let response;
  try {
    response = await fetch(base + path, options);
  } catch {
    throw new Refusal(0, { code: "offline", message: "the server cannot be reached" });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer, Number(response.headers.get("Retry-After")) || 0);
  return answer;
}

const requestId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Small facts that survive a reload: the rater's token, and answers on their way. Private windows may refuse storage.
function makeMemory(key) {
  const fallback = {};
  return {
    get(name) {
      try { return JSON.parse(localStorage.getItem(`${key}:${name}`)); } catch { return fallback[name] ?? null; }
    },
    set(name, value) {
      fallback[name] = value;
      try {
        if (value === null) localStorage.removeItem(`${key}:${name}`);
        else localStorage.setItem(`${key}:${name}`, JSON.stringify(value));
      } catch { /* kept in fallback */ }
    },
  };
}

// Sends answers one by one, in order. ``onAnswer`` gets the server's view after each; ``onTrouble`` what holds them up.
function makeOutbox(memory, { onAnswer, onTrouble, onRefused }) {
  let sending = null, wake = null;
  const waiting = () => memory.get("outbox") || [];
  const put = (list) => memory.set("outbox", list.length ? list : null);

  async function run() {
    for (let tries = 0; waiting().length; ) {
      const [first] = waiting();
      try {
        const answer = await ask(first.path, first.body, memory.get("token"));
        put(waiting().filter((one) => one.body.request_id !== first.body.request_id));
        tries = 0;
        onAnswer(answer, waiting().length);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (!error.passing) {
          put(waiting().filter((one) => one.body.request_id !== first.body.request_id));
          onRefused(error);
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
      put([...waiting(), { path, body: { request_id: requestId(), ...body } }]);
      return flush();
    },
  };
}
