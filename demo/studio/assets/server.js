// How the page asks the server: plain requests, each of which ends. What only fails to arrive is tried again, with
// growing pauses; the server's own word for no is an error with a code and a sentence.
const base = location.pathname.replace(/\/*$/, "/") + "studio/";
const addressOf = (path) => base + path;
const randomId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const MOST_TRIES = 6, MOST_SECONDS = 60;  // after the first that failed: tries that take long are fewer
const PASSING = ["away", "busy", "left"];  // nobody answered, it has no time, or it took us for gone: try again
const AWAY = "The server does not answer: please check the connection, and try again.";
const TRYING = "The server does not answer, trying again.";

class Refusal extends Error {
  constructor(code, message, wait = 0) {
    super(message);
    Object.assign(this, { code, wait });
  }
}

// What an answer holds. Raises Refusal: the server's own, or "away" where something else answered in its place.
function readAnswer(status, text, wait) {
  let answer = null;
  try { answer = text ? JSON.parse(text) : {}; } catch { /* a proxy's page */ }
  if (status >= 200 && status < 300 && answer) return answer;
  if (answer && answer.code && answer.message) throw new Refusal(answer.code, answer.message, Number(wait) || 0);
  throw new Refusal("away", AWAY);
}

// Behind a proxy, one of several servers may hang. Work waits for it, because work may take long; for this plain page
// the proxy asks the next one after some seconds, and sends us there from then on, where the work is brought back.
const knock = () => fetch(addressOf("../healthz"), { cache: "no-store", signal: AbortSignal.timeout(20000) }).catch(() => {});

async function ask(path, options, seconds) {
  let response, text;
  try {
    response = await fetch(addressOf(path), { method: "POST", cache: "no-store", ...options, signal: AbortSignal.timeout(seconds * 1000) });
    text = await response.text();
  } catch (error) {
    if (error.name === "TimeoutError") await knock();
    throw new Refusal("away", AWAY);
  }
  return readAnswer(response.status, text, response.headers.get("Retry-After"));
}

// A file on its way; told(share) hears how far it is. It fails when nothing moved for half a minute.
function sendFile(path, file, headers, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), 30000);
    };
    request.upload.onprogress = (event) => { moved(); told(event.loaded / event.total); };
    request.onloadend = () => {
      clearTimeout(timer);
      try { resolve(readAnswer(request.status, request.responseText, request.getResponseHeader("Retry-After"))); } catch (error) { reject(error); }
    };
    request.open("PUT", addressOf(path));
    for (const name in headers) request.setRequestHeader(name, headers[name]);
    moved();
    request.send(file);
  });
}

// Do what may fail on its way until it does not. held(sentence) hears why it takes longer, and "" when that is over.
let wake = () => {};
window.addEventListener("online", () => wake());
document.addEventListener("visibilitychange", () => wake());  // a laptop that slept, a phone that was put away
async function insist(work, held = () => {}) {
  let failed = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await work();
      if (tries > 1) held("");
      return answer;
    } catch (error) {
      failed ||= performance.now();
      if (!PASSING.includes(error.code) || tries === MOST_TRIES || performance.now() - failed > MOST_SECONDS * 1000) throw error;
      held(error.code === "away" ? TRYING : error.message);
      const seconds = Math.max(error.wait, 0.25 * 2 ** tries);
      await new Promise((resolve) => { wake = resolve; setTimeout(resolve, seconds * 1000); });
    }
  }
}
