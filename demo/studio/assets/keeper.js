// A copy of the work in this browser: the originals as they were given, and the server's own account of what was done to
// them. A server that lost the work gets both again. Where a browser keeps nothing, the work lives on the server alone.
const keeper = (() => {
  const OLDEST = 3 * 24 * 3600 * 1000;  // milliseconds
  let id = "", opened = null, timer = 0, kept = "", newest = [];

  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

  function open() {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("iph-studio", 2);
      request.onupgradeneeded = () => {
        for (const old of [...request.result.objectStoreNames]) request.result.deleteObjectStore(old);  // no longer read
        request.result.createObjectStore("originals", { keyPath: ["work", "id"] });
        request.result.createObjectStore("works", { keyPath: "id" });
      };
      done(request).then(resolve, reject);
    });
    return opened;
  }

  async function store(name, mode = "readonly") {
    return (await open()).transaction(name, mode).objectStore(name);
  }

  const ofWork = (work) => IDBKeyRange.bound([work], [work, []]);

  // What cannot be kept is no trouble as long as the server has it.
  async function quietly(work) {
    try { return await work(); } catch { return null; }
  }

  function name() {
    if (id) return id;
    let before = "";
    try { before = sessionStorage.getItem("iph-work"); } catch { /* the same */ }
    keeper.use(before || randomId());
    return id;
  }

  async function remove(work) {
    (await store("originals", "readwrite")).delete(ofWork(work));
    (await store("works", "readwrite")).delete(work);
  }

  async function sweep() {
    for (const one of await done((await store("works")).getAll())) if (Date.now() - one.at > OLDEST) await remove(one.id);
  }
  quietly(sweep);

  return {
    // A file that the server has taken, by the id that both call it.
    original: (id, file) => quietly(async () => {
      const entry = { work: name(), id, name: file.name, bytes: await file.arrayBuffer() };  // Safari keeps no files
      await done((await store("originals", "readwrite")).put(entry));
    }),

    // The state changed: what is no longer part of it goes, and what was done is kept as soon as nothing else is.
    note(state) {
      if (!Object.keys(state.slots).length) return;
      const mark = [session.name, state.turn, state.history.at, state.history.steps.length].join(" ");
      newest = state.originals;
      clearTimeout(timer);
      timer = setTimeout(() => quietly(async () => {
        if (mark === kept) return;
        const work = await session.work();
        await done((await store("works", "readwrite")).put({ id: name(), at: Date.now(), work }));
        const originals = await store("originals", "readwrite");
        const there = await done(originals.getAllKeys(ofWork(name()))), used = [...work.originals, ...newest];  // more may have come
        for (const key of there) if (!used.includes(key[1])) originals.delete(key);
        kept = mark;
      }), 700);
    },

    // What there is of this page's work: { originals, work }, or null. What the server's gallery has is only named.
    read: () => quietly(async () => {
      const entry = await done((await store("works")).get(name()));
      if (!entry) return null;
      const files = new Map((await done((await store("originals")).getAll(ofWork(name())))).map((file) => [file.id, file]));
      const originals = entry.work.originals.map((id) => id.startsWith("example-") ? { id } : files.get(id));
      return originals.every(Boolean) ? { originals, work: entry.work } : null;
    }),

    // A duplicated tab has a copy of its own; the id of the one it came with is returned, for ``use``.
    another() { const before = name(); this.use(randomId()); return before; },
    use(work) {
      id = work;
      try { sessionStorage.setItem("iph-work", id); } catch { /* a browser that keeps nothing */ }
    },

    forget: () => { clearTimeout(timer); return quietly(() => remove(name())); },
  };
})();

// The work that a server lost, on it again; one at a time. False where this browser has no copy of it.
let recovering = null;
function recover() {
  recovering ??= bringBack().finally(() => { recovering = null; });
  return recovering;
}

async function bringBack() {
  const kept = await keeper.read();
  if (!kept) return false;
  showBusy("The server lost this work, bringing it back");
  session.forget();
  async function send(event, data, file) {
    if (file) data.upload = (await session.upload(file, () => {})).upload;
    const { message } = await session.event(event, data);
    if (message && message.error) throw new Refusal("refused", message.text);
  }
  for (const { id, name, bytes } of kept.originals) await send("again", { id, name }, bytes && new File([bytes], name));
  await send("bring_back", {}, new Blob([JSON.stringify(kept.work)]));
  session.keep(true);
  return true;
}
