// This page's place on the server: a name and a key, taken when there is something to keep. A reloaded page finds them
// again; a new one has none. A duplicated tab finds them too, and asks first whether the other one is still there.
const PAGE = randomId();
const EVENT_SECONDS = 30, SLOW_SECONDS = { open: 120, save: 120, next: 120 };

const session = {
  name: "", key: "", taking: null,
  holds: false,  // something that would be lost with it

  headers() { return { "X-Session-Key": this.key }; },

  async take() {
    this.taking ??= insist(() => ask("session", {}, EVENT_SECONDS), held).finally(() => { this.taking = null; });
    const taken = await this.taking;
    [this.name, this.key] = [taken.session, taken.key];
  },

  forget() {
    [this.name, this.key] = ["", ""];
    this.keep(false);
  },

  keep(holds) {  // for a reload, as long as there is something to find again
    this.holds = holds;
    try { sessionStorage.setItem("iph-session", holds ? this.name + " " + this.key : ""); } catch { /* a browser that keeps nothing */ }
  },

  async find() {
    let name = "", key = "";
    try { [name, key = ""] = (sessionStorage.getItem("iph-session") || "").split(" "); } catch { /* the same */ }
    const taken = name && await this.isOpenElsewhere(name);
    if (!name || this.name) return false;
    if (taken) {
      this.forget();
      const work = keeper.another();
      const refusal = new Refusal("elsewhere", "These pictures are open on another page.");
      refusal.take = () => { keeper.use(work); [this.name, this.key, this.holds] = [name, key, true]; };
      throw refusal;
    }
    [this.name, this.key, this.holds] = [name, key, true];
    return true;
  },

  isOpenElsewhere(name) {
    if (!this.channel) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 250);
      this.heard = ({ open }) => { if (open === name) { clearTimeout(timer); resolve(true); } };
      this.channel.postMessage({ isOpen: name });
    });
  },

  // Do something in this page's session. One that held nothing and is gone is replaced without a word.
  async use(work) {
    if (!this.name) await this.take();
    const name = this.name;
    try {
      return await insist(work, held);
    } catch (error) {
      if (error.code !== "gone" || this.holds) throw error;
      if (this.name === name) this.forget();
      if (!this.name) await this.take();
      return insist(work, held);
    }
  },

  event(event, data) {
    const request = randomId();  // the same for every try, so that nothing is done twice
    return this.use(async () => {
      const { name } = this;
      const answer = await ask("session/" + name + "/event", {
        headers: { ...this.headers(), "Content-Type": "application/json" },
        body: JSON.stringify({ request, page: PAGE, event, data }),
      }, SLOW_SECONDS[event] || EVENT_SECONDS);
      return { ...answer, session: name };
    });
  },

  upload(file, told) {
    return this.use(() => sendFile("session/" + this.name + "/upload", file, this.headers(), told));
  },

  // What was done, as the browser keeps it.
  work() { return ask("session/" + this.name + "/work", { method: "GET", headers: this.headers() }, EVENT_SECONDS); },

  // True pixels of a window, as a picture file.
  async crop(window, signal) {
    try {
      const response = await fetch(addressOf("session/" + this.name + "/crop?" + new URLSearchParams(window)), {
        headers: this.headers(), cache: "no-store", signal: AbortSignal.any([signal, AbortSignal.timeout(EVENT_SECONDS * 1000)]),
      });
      if (!response.ok) readAnswer(response.status, await response.text(), response.headers.get("Retry-After"));
      return { blob: await response.blob() };
    } catch (error) {
      if (signal.aborted || error instanceof Refusal) throw error;
      if (error.name === "TimeoutError") await knock();
      throw new Refusal("away", AWAY);  // also a body cut in half
    }
  },

  leave() {
    if (this.name) navigator.sendBeacon(addressOf("session/" + this.name + "/leave"), JSON.stringify({ key: this.key, page: PAGE }));
  },
};

if (window.BroadcastChannel) {
  session.channel = new BroadcastChannel("iph-session");
  session.channel.onmessage = ({ data }) => {
    if (data.isOpen && data.isOpen === session.name) session.channel.postMessage({ open: session.name });
    else if (session.heard) session.heard(data);
  };
}
// Why a file need not be sent at all, or nothing.
function tooLarge(file) {
  const most = /\.(tiff?|png)$/i.test(file.name) ? 345 : 64; // megabytes: 16 bits a channel take what their pixels need
  return file.size > most * 1024 * 1024 ? `Expected a file of at most ${most} MB, got one of ${Math.round(file.size / 1e6)} MB.` : "";
}
window.addEventListener("pagehide", () => session.leave());
