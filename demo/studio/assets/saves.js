// What is taken home, and in which form: said before it is asked for, so that no depth and no profile changes in silence.
const saves = (() => {
  const format = find("[data-format]"), quality = find("[data-quality]");
  const NAMES = { jpeg: "JPEG", png: "PNG", webp: "WebP", tiff16: "TIFF, 16 bits" }, LOSSY = ["jpeg", "webp"];
  let photo = null;

  function tell() {
    const kind = format.value, deep = photo.bits === 16;
    find(".quality").hidden = !LOSSY.includes(kind);
    const bits = kind === "tiff16" ? 16 : deep && (LOSSY.includes(kind) || (kind === "own" && !keepsDepth())) ? 8 : photo.bits;
    const turned = bits === photo.bits ? "" : " of " + photo.bits + ": the change is made in " + Math.max(bits, photo.bits);
    parts.what.textContent = photo.full_width + " × " + photo.full_height + ", " + bits + " bits" + turned + ", " + photo.profile +
      (kind === "own" && LOSSY.includes(own().toLowerCase()) ? ", as finely as it came" : "") + ". Its metadata say that it was edited.";
  }
  const own = () => photo.ending.slice(1).toUpperCase().replace("JPG", "JPEG").replace("TIF", "TIFF");
  const keepsDepth = () => ["PNG", "TIFF"].includes(own());

  for (const one of [format, quality]) one.addEventListener("change", tell);
  return {
    show(now) {
      if (photo && photo.file === now.file) return;
      photo = now;
      const options = [["own", "As it came, " + own()], ...Object.entries(NAMES)].map(([value, name]) => {
        const option = make("option", "", name);
        option.value = value;
        return option;
      });
      format.replaceChildren(...options);
      tell();
    },
    // How the photo is wanted.
    asked: () => ({ format: format.value, ...(LOSSY.includes(format.value) ? { quality: clamp(Math.round(quality.value) || 92, 1, 100) } : {}) }),
  };
})();
