// The look on other photos: one after the other they go to the server and come back, and what is done comes home as a
// zip. The page goes on meanwhile; the look is that of the moment they were given.
const series = (() => {
  const PHOTO = /\.(jpe?g|png|webp|tiff?|hei[cf]|avif|gif|bmp)$/i, MASK = /-mask$/i;
  const PAUSES = ["away", "busy", "full", "gone", "elsewhere"];  // no fault of the photo: the next would fare no better
  const MOST_ZIP = 1 << 30;  // bytes: more comes as several
  const box = find(".next"), told = find(".told", box), bar = find("progress", box), failed = find("ul", box), onward = find("[data-do=onward]", box);
  let run = null;

  const stem = (path) => path.replace(/\.[^./]*$/, "").toLowerCase();

  // What of the files is a photo, each with the mask that lies beside it, in the order of their names; and what is none.
  function sorted(files) {
    const listed = files.filter(({ file }) => !file.name.startsWith(".")).sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
    const photos = new Map(), masks = new Map(), others = [];
    for (const { file, path } of listed) if (PHOTO.test(path) && !MASK.test(stem(path))) photos.set(path, { file, path });
    const stems = new Set([...photos.keys()].map(stem));
    for (const { file, path } of listed) {
      if (photos.has(path)) continue;
      const whose = stem(path).replace(MASK, "");
      if (PHOTO.test(path) && stems.has(whose)) masks.set(whose, file);
      else if (PHOTO.test(path)) photos.set(path, { file, path });  // called a mask, but of nothing
      else others.push(file.name);
    }
    return { photos: [...photos.values()].map((photo) => ({ ...photo, mask: masks.get(stem(photo.path)) })), others };
  }

  async function once({ file, mask }, look) {
    const upload = async (one) => (await session.upload(one, () => {})).upload;
    const work = async () => {
      const data = { look, name: file.name, upload: await upload(file), ...(mask ? { mask: await upload(mask) } : {}) };
      const answer = await session.event("next", data);
      if (answer.message) throw new Refusal("refused", answer.message.text);
      return { name: answer.file.name, blob: await fetched(answer.file, () => {}) };
    };
    if (tooLarge(file)) throw new Refusal("refused", tooLarge(file));
    try {
      return await work();
    } catch (error) {
      if (error.code !== "gone" || !await recover()) throw error;
      return work();
    }
  }

  function fails(name, reason) { failed.append(make("li", "", name + ": " + reason)); }

  // A name that no other file of these has, in letters of either case.
  function free(name, taken) {
    const [, start, ending] = name.match(/^(.*?)(\.[^.]*)?$/);
    let one = name;
    for (let count = 2; taken.has(one.toLowerCase()); count += 1) one = start + "-" + count + (ending || "");
    taken.add(one.toLowerCase());
    return one;
  }

  async function start(files) {
    if (!state.look) return say("Expected a result first, whose look the other photos are to get.", true);
    if (run) return say("Other photos are being done already: they were expected to end first, or to be cancelled.", true);
    const { photos, others } = sorted(files), look = state.look;
    if (!photos.length) return say("Expected photos to give this look to, got none.", true);
    const mine = run = {}, taken = new Set();
    const stopped = new Promise((resolve) => { mine.stop = () => { mine.stopped = true; resolve(null); }; });
    let done = 0, sheaf = zip(), sheaves = 0;
    const name = () => "harmonized" + (sheaves ? "-" + (sheaves + 1) : "") + ".zip";
    box.open = true;
    failed.replaceChildren();
    others.forEach((other) => fails(other, "no photo that can be read here."));
    bar.max = photos.length;
    show(true);
    for (let at = 0; at < photos.length && !mine.stopped; at += 1) {
      bar.value = at;
      told.textContent = at + 1 + " of " + photos.length + ": " + photos[at].file.name;
      try {
        const made = await Promise.race([once(photos[at], look), stopped]);
        if (!made) break;
        if (photos.length === 1) keepFile(made.blob, made.name);
        else await sheaf.add(free(made.name, taken), made.blob);
        done += 1;
      } catch (error) {
        if (!PAUSES.includes(error.code)) { fails(photos[at].file.name, error.message); continue; }
        told.textContent = "Waiting at " + photos[at].file.name + ": " + error.message;
        onward.hidden = false;
        await Promise.race([stopped, new Promise((resolve) => { onward.onclick = resolve; })]);
        onward.hidden = true;
        at -= 1;
      }
      if (sheaf.size > MOST_ZIP) { keepFile(sheaf.file(), name()); sheaf = zip(); sheaves += 1; }
    }
    if (sheaf.size) keepFile(sheaf.file(), name());
    run = null;
    show(false);
    told.textContent = (mine.stopped ? "Cancelled: " : "") + done + " of " + photos.length + (photos.length === 1 ? " photo" : " photos") + " done" +
      (failed.children.length ? "; not done:" : ".");
  }

  function show(working) {
    find(".under-way", box).hidden = !working;
    findAll(".row .button", box).forEach((button) => { button.hidden = working; });
  }

  // All files of what was dropped, folders and theirs included.
  async function within(entry) {
    if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: entry.fullPath }];
    const reader = entry.createReader(), found = [];
    for (;;) {  // some at a time
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return found;
      for (const one of some) found.push(...await within(one));
    }
  }

  const listed = (files) => [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  findAll("input[type=file]", box).forEach((input) => {
    input.accept = FORMATS;
    input.addEventListener("change", () => {
      const files = listed(input.files);
      input.value = "";
      if (files.length) start(files);
    });
  });
  parts.work.addEventListener("drop", async (event) => {
    const files = listed(event.dataTransfer.files), entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    const folders = entries.some((entry) => entry.isDirectory);
    if (files.length === 1 && /\.json$/i.test(files[0].path)) return take("recipe", files[0].file);
    if (!folders && files.length < 2 && !event.target.closest(".next")) return;
    start(folders ? (await Promise.all(entries.map(within))).flat() : files);
  });
  find("[data-do=stop]", box).addEventListener("click", () => run.stop());
  window.addEventListener("beforeunload", (event) => { if (run) event.preventDefault(); });
  return { stop: () => run && run.stop() };
})();
