// What is set by numbers: each a slider beside a field to type in; a double click on its name or slider resets it.
// rows: { name: { label, least, most, step, unit, neutral } }; live(values) while one moves, rest(values) when it is let go.
function makeNumbers(home, rows, live, rest) {
  let handling = false;
  const fields = Object.entries(rows).map(([name, { label, least, most, step, unit, neutral }]) => {
    const row = make("div", "number"), title = make("span", "", label), typed = make("input"), slider = make("input");
    typed.type = "number";
    slider.type = "range";
    for (const one of [typed, slider]) Object.assign(one, { min: least, max: most, step, value: neutral });
    typed.setAttribute("aria-label", label + ", " + (unit || "typed"));
    slider.setAttribute("aria-label", label);
    slider.dataset.number = typed.dataset.typed = name;
    title.title = "Double click to reset";
    row.append(title, typed, make("span", "unit", unit), slider);
    home.append(row);
    const field = {
      name, neutral,
      get value() { return Number(slider.value); },
      set value(value) { slider.value = typed.value = value; fill(slider); },
    };
    const done = () => { handling = false; rest(read()); };
    slider.addEventListener("input", () => { handling = true; field.value = slider.value; live(read()); });
    slider.addEventListener("change", done);
    for (const end of ["pointerup", "pointercancel"]) slider.addEventListener(end, () => { handling = false; });
    typed.addEventListener("change", () => {
      field.value = typed.value === "" ? neutral : typed.value;  // the slider keeps it within its range
      field.value = slider.value;
      live(read());
      done();
    });
    for (const one of [title, slider]) one.addEventListener("dblclick", () => { field.value = neutral; live(read()); done(); });
    return field;
  });
  const read = () => Object.fromEntries(fields.map(({ name, value }) => [name, value]));
  return {
    read,
    settle(now) { for (const field of fields) field.value = now[field.name]; },
    reset() { for (const field of fields) field.value = field.neutral; live(read()); rest(read()); },
    get handling() { return handling; },
  };
}

// What ``iph.adjustments`` does to a changed picture, as far as ``cover`` has it; of 8 bits, at once: at rest the server's own takes the place of it.
const corrected = (() => {
  const luma = [0.2126, 0.7152, 0.0722];
  const decoded = (v) => v <= 0.0404499 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const encoded = (v) => v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055;
  const shadows = (v, amount) => clamp(v * 2 ** (1.5 * amount / 100 * (1 - v) ** 3), 0, 1);
  function curve(gain, now) {
    return Float32Array.from({ length: 256 }, (_, level) => {
      let v = encoded(clamp(decoded(level / 255) * gain, 0, 1));
      v = clamp(v + 0.15 * now.blacks / 100 * (1 - v) ** 4, 0, 1);
      v = 1 - shadows(1 - shadows(v, now.shadows), -now.highlights);
      const away = v - 0.5;
      return 255 * clamp(0.5 + away * 2 ** (0.7 * now.contrast / 100 * (1 - 4 * away * away)), 0, 1);
    });
  }
  return (changed, { was, cover }, now) => {
    if (Object.values(now).every((value) => value === 0)) return changed;
    const warm = 0.5 * now.temperature / 100, magenta = 0.4 * now.tint / 100;
    const balance = [warm + magenta / 2, -magenta, -warm + magenta / 2].map((stops) => 2 ** stops);
    const white = balance.reduce((sum, gain, index) => sum + gain * luma[index], 0);
    const [red, green, blue] = balance.map((gain) => curve(2 ** now.exposure * gain / white, now));
    const more = 1 + now.saturation / 100, before = was.data, out = changed.data;
    for (let i = 0; i < out.length; i += 4) {
      const share = cover.data[i] / 255;
      if (!share) continue;
      const whole = (at) => clamp(Math.round(before[at] + (out[at] - before[at]) / share), 0, 255);  // were it all covered
      const mixed = (at, value) => before[at] + share * (clamp(value, 0, 255) - before[at]);
      const r = red[whole(i)], g = green[whole(i + 1)], b = blue[whole(i + 2)], y = luma[0] * r + luma[1] * g + luma[2] * b;
      const above = Math.max(r, g, b) - y, below = y - Math.min(r, g, b);  // luma stays: no channel out of range
      const by = more > 1 ? Math.min(more, Math.max(1, Math.min((255 - y) / Math.max(above, 1e-6), y / Math.max(below, 1e-6)))) : more;
      out[i] = mixed(i, y + by * (r - y));
      out[i + 1] = mixed(i + 1, y + by * (g - y));
      out[i + 2] = mixed(i + 2, y + by * (b - y));
    }
    return changed;
  };
})();
