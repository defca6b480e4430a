// A change is a difference of two pictures, weakened as a whole or in its two parts: what the sliders do, at once.
function mixture(before, changed, { strength, luminance, chroma }) {
  const was = before.data, full = changed.data;
  const mixed = new ImageData(before.width, before.height);
  const out = mixed.data;
  for (let i = 0; i < was.length; i += 4) {
    const red = full[i] - was[i], green = full[i + 1] - was[i + 1], blue = full[i + 2] - was[i + 2];
    const light = (0.2126 * red + 0.7152 * green + 0.0722 * blue) * (luminance - chroma);
    out[i] = was[i] + strength * (light + chroma * red);
    out[i + 1] = was[i + 1] + strength * (light + chroma * green);
    out[i + 2] = was[i + 2] + strength * (light + chroma * blue);
    out[i + 3] = 255;
  }
  return mixed;
}

// A patch as the sliders have it, from what it was before that person's change.
const blended = ({ from, full, cover }, amounts, adjustments) => corrected(mixture(from, full, amounts), { was: from, cover }, adjustments);

// The picture on the canvas: the photo, the patch of it that changes, and the divider between before and after.
const picture = (() => {
  const after = find("canvas.after"), before = find("canvas.before");
  const pens = [after, before].map((canvas) => canvas.getContext("2d", { willReadFrequently: true }));
  const loaded = new Map();
  let token = 0, base = null, under = null, patch = null, splitAt = 50, splitFor = "";

  function bitmap(path) {
    if (!loaded.has(path)) {
      const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
      const wanted = fetch(addressOf(path), { signal: AbortSignal.timeout(60000) }).then((answer) => answer.ok ? answer.blob() : Promise.reject())
        .then((blob) => createImageBitmap(blob, options)).catch(() => {
          loaded.delete(path);  // the next answer asks again
          throw new Error("A picture did not arrive from the server: please try again, or reload the page.");
        });
      loaded.set(path, wanted);
      if (loaded.size > 24) loaded.delete(loaded.keys().next().value);
    }
    return loaded.get(path);
  }

  async function pixels(path, width, height) {
    const image = await bitmap(path);
    const canvas = document.createElement("canvas");
    canvas.width = width; canvas.height = height;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0);
    return pen.getImageData(0, 0, width, height);
  }

  // Show a whole picture by its name on the server; on it, if any, the rest { was, now }, which is the picture with other
  // people, and the patch { x, y, width, height, was, from, cover, full, now } of the active one; focus as ``view.use`` has it. Tells whether it did.
  async function show(name, whole, result, rest, active, focus) {
    const mine = ++token;
    const image = await bitmap(whole.file);
    const others = rest && { was: await bitmap(rest.was), now: await bitmap(rest.now) };
    let made = null;
    if (result) {
      const load = (name) => pixels(result[name], result.width, result.height);
      const [was, from, cover, full, now] = await Promise.all(["was", "from", "cover", "full", "now"].map(load));
      made = { x: result.x, y: result.y, was, from, cover, full, now };
    }
    if (mine !== token) return false;  // something newer is on its way
    base = image; under = others; patch = made;
    for (const canvas of [after, before]) { canvas.width = whole.width; canvas.height = whole.height; }
    parts.lines.setAttribute("viewBox", "0 0 " + whole.width + " " + whole.height);
    view.use(whole, focus);
    const seen = whole.file + " " + active, beside = result && 100 * (result.x / whole.width - 0.02);
    if (result && splitFor !== seen) {  // beside the person, who is seen as they will be, and so are those seen before
      split(splitFor.startsWith(whole.file + " ") ? Math.min(splitAt, beside) : beside);
      splitFor = seen;
    }
    const of = [...(result ? [result.was, result.from, result.full, result.x, result.y] : []), ...Object.values(rest || {})];
    closeup.show(name, [whole.file, ...of].join(" "));
    draw(patch && patch.now);
    return true;
  }

  function draw(shown) {
    pens[0].drawImage(under ? under.now : base, 0, 0);
    pens[1].drawImage(under ? under.was : base, 0, 0);
    if (patch) pens[1].putImageData(patch.was, patch.x, patch.y);
    if (patch && shown) pens[0].putImageData(shown, patch.x, patch.y);
    before.hidden = parts.split.hidden = !(patch && shown) && !under;
  }

  // The sliders, at once. At rest the server's own picture takes the place of this one.
  function blend(amounts, adjustments) {
    if (!patch) return;
    pens[0].putImageData(blended(patch, amounts, adjustments), patch.x, patch.y);
    closeup.blend(amounts, adjustments);
  }

  function split(percent) {
    splitAt = clamp(percent, 0, 100);
    before.style.clipPath = "inset(0 " + (100 - splitAt) + "% 0 0)";
    closeup.clip(splitAt / 100);
    placeSplit();
    parts.split.setAttribute("aria-valuenow", Math.round(splitAt));
    parts.split.setAttribute("aria-valuetext", Math.round(splitAt) + " percent before");
  }

  function placeSplit() {  // always within reach
    const wide = parts.frame.clientWidth, x = clamp(view.across(splitAt / 100), 0, wide);
    parts.split.style.left = x + "px";
    find("b", parts.split).style.left = clamp(x, 26, wide - 26) - x + "px";
    find(".was", parts.split).hidden = x < 70;  // half a word says nothing
    find(".now", parts.split).hidden = x > wide - 60;
  }

  parts.split.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    event.preventDefault();
    parts.split.focus({ preventScroll: true });
    parts.split.setPointerCapture(event.pointerId);
  });
  parts.split.addEventListener("pointermove", (event) => {
    if (!parts.split.hasPointerCapture(event.pointerId)) return;
    event.stopPropagation();
    split(100 * view.share(event.clientX - parts.frame.getBoundingClientRect().left));
  });
  parts.split.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, Home: -100, End: 100 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    split(splitAt + step);
  });

  return { bitmap, show, blend, placeSplit, withoutPatch: () => base && draw(null), rest: () => base && draw(patch && patch.now) };
})();
