// The brush: how large and how hard it is, the ring under the pointer, and the stroke as it is painted.
const STROKES = ["brush", "erase", "hint"];
const AWAY_WITH = { brush: "erase", erase: "brush", hint: "hint_away" };  // what Alt makes of a tool
const strokes = (() => {
  const [size, hardness] = ["size", "hardness"].map((name) => find("[data-brush=" + name + "]", parts.brushes));
  let at = null;

  const view = () => parts.lines.viewBox.baseVal;
  const longer = () => Math.max(view().width, view().height);
  const settings = () => ({ size: size.value / 100, hardness: hardness.value / 100 });

  function ring(point = at) {
    at = point;
    parts.ring.hidden = !at || parts.brushes.hidden;
    if (parts.ring.hidden) return;
    const across = settings().size * longer() / view().width;  // of the picture's width
    Object.assign(parts.ring.style, { left: 100 * at[0] + "%", top: 100 * at[1] + "%", width: 100 * across + "%" });
  }

  function draw(points, kind) {
    const { width, height } = view(), stroke = find(".stroke");
    const [first, ...rest] = points.map(([x, y]) => (x * width).toFixed(2) + " " + (y * height).toFixed(2));
    stroke.setAttribute("d", first ? "M" + first + "L" + (rest.length ? rest : [first]).join("L") : "");
    stroke.setAttribute("stroke-width", settings().size * longer());
    stroke.classList.toggle("erase", kind === "erase" || kind === "hint_away");
  }

  function resize(factor) {
    const before = Number(size.value), step = Math.max(0.1, Math.abs(before * factor - before));  // of the slider, at least
    size.value = before + (factor > 1 ? step : -step);
    size.dispatchEvent(new Event("input"));
  }

  size.addEventListener("input", () => ring());
  return { settings, ring, draw, larger: () => resize(1.2), smaller: () => resize(1 / 1.2) };
})();
