// The picture on the canvas: the photo, the patch of it that changes, and the divider between before and after.
const picture = (() => {
  const after = find("canvas.after"), before = find("canvas.before");
  const pens = [after, before].map((canvas) => canvas.getContext("2d", { willReadFrequently: true }));
  const loaded = new Map();
  let token = 0, base = null, patch = null, splitAt = 50, splitFor = null;

  function bitmap(path) {
    if (!loaded.has(path)) {
      const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
      const wanted = fetch(addressOf(path), { signal: AbortSignal.timeout(60000) }).then((answer) => answer.ok ? answer.blob() : Promise.reject())
        .then((blob) => createImageBitmap(blob, options)).catch(() => {
          loaded.delete(path);  // the next answer asks again
          throw new Error("A picture did not arrive from the server: please try again, or reload the page.");
        });
      loaded.set(path, wanted);
      if (loaded.size > 16) loaded.delete(loaded.keys().next().value);
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

  // Show a whole picture, and in it the patch { x, y, width, height, was, full, now }, or none. Tells whether it did.
  async function show(whole, result) {
    const mine = ++token;
    const image = await bitmap(whole.file);
    let made = null;
    if (result) {
      const load = (name) => pixels(result[name], result.width, result.height);
      const [was, full, now] = await Promise.all([load("was"), load("full"), load("now")]);
      made = { x: result.x, y: result.y, was, full, now };
    }
    if (mine !== token) return false;  // something newer is on its way
    base = image; patch = made;
    for (const canvas of [after, before]) { canvas.width = whole.width; canvas.height = whole.height; }
    parts.frame.style.setProperty("--ratio", whole.width / whole.height);
    parts.lines.setAttribute("viewBox", "0 0 " + whole.width + " " + whole.height);
    if (result && splitFor !== whole.file) {
      splitFor = whole.file;
      split(100 * (result.x + result.width / 2) / whole.width);
    }
    draw(patch && patch.now);
    return true;
  }

  function draw(shown) {
    pens[0].drawImage(base, 0, 0);
    pens[1].drawImage(base, 0, 0);
    if (patch) pens[1].putImageData(patch.was, patch.x, patch.y);
    if (patch && shown) pens[0].putImageData(shown, patch.x, patch.y);
    before.hidden = parts.split.hidden = !(patch && shown);
  }

  // The sliders, at once: a change is a difference of two pictures, weakened as a whole or in its two parts.
  // At rest the server's own picture takes the place of this one.
  function blend({ strength, luminance, chroma }) {
    if (!patch) return;
    const was = patch.was.data, full = patch.full.data;
    const mixed = new ImageData(patch.was.width, patch.was.height);
    const out = mixed.data;
    for (let i = 0; i < was.length; i += 4) {
      const red = full[i] - was[i], green = full[i + 1] - was[i + 1], blue = full[i + 2] - was[i + 2];
      const light = (0.2126 * red + 0.7152 * green + 0.0722 * blue) * (luminance - chroma);
      out[i] = was[i] + strength * (light + chroma * red);
      out[i + 1] = was[i + 1] + strength * (light + chroma * green);
      out[i + 2] = was[i + 2] + strength * (light + chroma * blue);
      out[i + 3] = 255;
    }
    pens[0].putImageData(mixed, patch.x, patch.y);
  }

  function split(percent) {
    splitAt = clamp(percent, 0, 100);
    before.style.clipPath = "inset(0 " + (100 - splitAt) + "% 0 0)";
    parts.split.style.left = splitAt + "%";
    parts.split.setAttribute("aria-valuenow", Math.round(splitAt));
    parts.split.setAttribute("aria-valuetext", Math.round(splitAt) + " percent before");
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
    const box = parts.frame.getBoundingClientRect();
    split(100 * (event.clientX - box.left) / box.width);
  });
  parts.split.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, Home: -100, End: 100 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    split(splitAt + step);
  });

  return { show, blend, withoutPatch: () => base && draw(null), rest: () => base && draw(patch && patch.now) };
})();
