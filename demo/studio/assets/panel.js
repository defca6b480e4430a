// Everything around the picture: drop zones, gallery, suggestions, sliders, hints.
const FORMATS = "image/jpeg,image/png,image/webp,image/tiff,image/heic,image/heif,image/avif,.heic,.heif,.tif,.tiff";
const HINTS = {
  "reference move": "Drag the person; corners resize, the knob turns. Click someone else to take their look.",
  "reference point": "Click someone or something to take its look, or drag a box.",
  "reference brush": "Paint over what the look should come from. Alt erases.",
  "reference erase": "Paint away what should not count.",
  "reference hint": "Paint roughly over someone: what belongs to them is found. Alt takes away.",
  "person point": "Click the person, or drag a box around them.",
  "person brush": "Paint what belongs to the person, exactly. Alt erases.",
  "person erase": "Paint away what does not belong to the person, exactly.",
  "person hint": "Paint roughly over what is missing: its edge is found. Alt takes away.",
  "other point": "Click someone in this photo to take their look, or drag a box.",
  "other brush": "Paint over what the look should come from. Alt erases.",
  "other erase": "Paint away what should not count.",
  "other hint": "Paint roughly over someone: what belongs to them is found. Alt takes away.",
};

// Help as it is for what the visitor points with: fingers have no keys.
function forDevice(text) {
  if (!matchMedia("(pointer: coarse)").matches) return text;
  return text.replace(/ Alt .*$/, "").replaceAll("Click", "Tap").replaceAll("click", "tap");
}

// Files come by choosing, dropping, or pasting; take(kind, file) gets them.
function makeDrops(take) {
  findAll("[data-kind] input[type=file]").forEach((input) => {
    const label = input.closest("[data-kind]");
    input.accept = label.dataset.kind === "recipe" ? ".json,application/json" : FORMATS;
    input.addEventListener("change", () => {
      if (input.files[0]) take(label.dataset.kind, input.files[0]);
      input.value = "";
    });
    label.addEventListener("dragover", (event) => { event.preventDefault(); label.classList.add("over"); });
    label.addEventListener("dragleave", () => label.classList.remove("over"));
    label.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      label.classList.remove("over");
      if (event.dataTransfer.files[0]) take(label.dataset.kind, event.dataTransfer.files[0]);
    });
  });
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("drop", (event) => event.preventDefault());  // never leave the page for a stray file
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (!file || parts.start.hidden || !element.isConnected) return;
    take(find(".drop[data-kind=background]").classList.contains("filled") ? "person" : "background", file);
  });
}

function showSlots(slots) {
  findAll(".drop").forEach((drop) => {
    const slot = slots[drop.dataset.kind], image = find("img", drop);
    drop.classList.toggle("filled", Boolean(slot));
    if (!image) return;
    image.hidden = !slot;
    if (slot) { image.src = addressOf(slot.file); image.alt = slot.name; }
  });
}

// Six ready composites, and where their photos came from.
function showGallery(gallery, choose) {
  find(".credits ul").replaceChildren(...gallery.map((example) => {
    const entry = make("li", "", example.title + ": ");
    example.credits.forEach((photo, index) => {
      const link = make("a", "", photo.role + " (" + photo.licence + ")");
      link.href = photo.page;
      link.title = photo.changes;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      entry.append(index ? ", " : "", link);
    });
    return entry;
  }));
  parts.gallery.replaceChildren(...gallery.map((example) => {
    const button = make("button", "example"), image = make("img");
    button.type = "button";
    image.src = addressOf(example.picture);
    image.alt = "";
    image.loading = "lazy";
    button.append(image, make("b", "", example.title));
    button.addEventListener("click", () => choose(example.id));
    return button;
  }));
}

// The strip of suggestions: cards are kept while their thumbnail is made anew, so that nothing flickers.
let cards = [];
function showStrip(where, listed, take, point) {
  const before = new Map(cards.map((card) => [card.dataset.key, card]));
  cards = listed.map((entry) => {
    const key = where + " " + entry.index + " " + entry.label;
    const card = before.get(key) || make("button", "card");
    if (!before.has(key)) {
      card.type = "button";
      card.dataset.key = key;
      card.append(make("span", "thumb"), make("span", "name", entry.label));
    }
    card.onclick = () => take(entry.index);
    card.onpointerenter = card.onfocus = () => point(entry.outline);
    card.onpointerleave = card.onblur = () => point("");
    card.setAttribute("aria-pressed", entry.taken);
    card.classList.toggle("stale", !entry.thumb);
    if (entry.thumb) {
      const image = find("img", card) || make("img");
      image.src = addressOf(entry.thumb);
      image.alt = "";
      find(".thumb", card).replaceChildren(image);
    }
    return card;
  });
  const there = [...parts.strip.children];  // put in again, a card would lose the focus
  if (there.length !== cards.length || there.some((card, index) => card !== cards[index])) parts.strip.replaceChildren(...cards);
}

// The part of a slider's track before its thumb is coloured (Chromium does not do it by itself).
const fill = (slider) => slider.style.setProperty("--filled", (slider.value - slider.min) / (slider.max - slider.min) * 100 + "%");
findAll("input[type=range]").forEach((slider) => {
  fill(slider);
  slider.addEventListener("input", () => fill(slider));
});

// Three sliders: live(amounts) while one moves, rest(amounts) when it is let go. The hand's value stays until then.
function makeAmounts(live, rest) {
  const sliders = findAll("[data-amount]");
  let handling = false;
  const read = () => Object.fromEntries(sliders.map((slider) => [slider.dataset.amount, slider.value / 100]));
  const label = () => sliders.forEach((slider) => {
    find("output", slider.parentNode).textContent = slider.value + " %";
    fill(slider);
  });
  sliders.forEach((slider) => {
    slider.addEventListener("input", () => { handling = true; label(); live(read()); });
    slider.addEventListener("change", () => { handling = false; rest(read()); });
    // A slider that ends where it began tells of no change.
    for (const end of ["pointerup", "pointercancel"]) slider.addEventListener(end, () => { handling = false; });
  });
  find("[data-do=reset]").addEventListener("click", () => {
    sliders.forEach((slider) => { slider.value = 100; });
    label();
    live(read());
    rest(read());
  });
  return {
    settle(now) {
      sliders.forEach((slider) => { slider.value = Math.round(now[slider.dataset.amount] * 100); });
      label();
    },
    read,
    get handling() { return handling; },
  };
}

// Where all is one column the picture comes along while a slider is held, unless it would lie over it.
parts.work.addEventListener("pointerdown", (event) => {
  const beside = event.clientY > parts.frame.offsetHeight + 24;
  parts.frame.toggleAttribute("data-along", beside && event.target.type === "range" && !parts.brushes.contains(event.target));
});
for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => parts.frame.removeAttribute("data-along"));

// The fold of the person's edge: rest(edge) when a slider is let go. Pixels are those of the person's picture.
function makeEdge(rest) {
  const controls = findAll("[data-edge]");
  const read = () => Object.fromEntries(controls.map((one) => [one.dataset.edge, one.type === "checkbox" ? one.checked : Number(one.value)]));
  const label = () => controls.filter((one) => one.type === "range").forEach((one) => {
    find("output", one.parentNode).textContent = one.value + " px";
    fill(one);
  });
  controls.forEach((one) => {
    one.addEventListener("input", label);
    one.addEventListener("change", () => rest(read()));
  });
  return {
    settle(now, placed) {
      controls.forEach((one) => { if (one.type === "checkbox") one.checked = now[one.dataset.edge]; else one.value = now[one.dataset.edge]; });
      find(".cleaning").hidden = !placed;  // a finished composite has no other background
      label();
    },
  };
}

// The steps so far, the newest first; a click goes there.
function showHistory({ at, steps }, go) {
  const held = parts.history.contains(document.activeElement) && document.activeElement.matches("button");
  parts.history.hidden = steps.length < 2;
  find("ol", parts.history).replaceChildren(...steps.map((name, index) => {
    const entry = make("li"), button = make("button", "link", name);
    button.type = "button";
    if (index === at) button.setAttribute("aria-current", "step");
    entry.classList.toggle("undone", index > at);
    button.addEventListener("click", () => go(index));
    entry.append(button);
    return entry;
  }).reverse());
  if (held) find("[aria-current]", parts.history).focus();
}
