// Everything around the picture: drop zones, gallery, suggestions, sliders, hints.
const FORMATS = "image/jpeg,image/png,image/webp,image/tiff,image/heic,image/heif,image/avif,.heic,.heif,.tif,.tiff";
const HINTS = {
  "reference move": "Drag the person; corners, wheel or pinch resize. Click someone else to take their look.",
  "reference point": "Click someone or something to take its look, or drag a box.",
  "reference brush": "Paint over what the look should come from.",
  "reference erase": "Paint away what should not count.",
  "person point": "Click the person, or drag a box around them.",
  "person brush": "Paint what belongs to the person; their edge is followed.",
  "person erase": "Paint away what does not belong to the person.",
  "other point": "Click someone in this photo to take their look, or drag a box.",
  "other brush": "Paint over what the look should come from.",
  "other erase": "Paint away what should not count.",
};

// Files come by choosing, dropping, or pasting; take(kind, file) gets them.
function makeDrops(take) {
  findAll("input[type=file]").forEach((input) => {
    const label = input.closest("[data-kind]");
    input.accept = FORMATS;
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
    image.alt = example.title;
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
  parts.strip.replaceChildren(...cards);
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
    hold() { live(read()); },
    get handling() { return handling; },
  };
}
