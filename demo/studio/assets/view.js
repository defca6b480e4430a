// How closely the picture is looked at: the sheet that holds it and all that lies on it, moved and scaled in its frame.
// Layout does the scaling, so that lines, handles and rings keep their size and a place on the sheet is a share of it.
const view = (() => {
  const MOST = 16;  // pixels of the screen for one of the photo
  const WIDEST = 2.4, TALLEST = 0.62;  // a longer picture gets a frame of this shape and is seen in part at first
  const kept = new Map();  // by picture, so that a look at another one loses nothing
  let whole = null, box = null, zoom = 1, left = 0, top = 0, fits = true, told = () => {};

  const frame = () => ({ width: parts.frame.clientWidth, height: parts.frame.clientHeight });
  const pixel = () => 1 / devicePixelRatio;  // in CSS pixels
  function all() {
    const { width, height } = frame();
    return Math.min(width / whole.full_width, height / whole.full_height);
  }
  function most() { return Math.max(all(), MOST * pixel()); }

  function apply() {
    const { width, height } = frame(), wide = whole.full_width * zoom, high = whole.full_height * zoom;
    left = wide <= width + 1 ? (width - wide) / 2 : clamp(left, width - wide, 0);
    top = high <= height + 1 ? (height - high) / 2 : clamp(top, height - high, 0);
    const sharp = (value) => Math.round(value * devicePixelRatio) / devicePixelRatio;  // no pixel between two
    Object.assign(parts.sheet.style, {
      left: sharp(left) + "px", top: sharp(top) + "px",
      width: (fits ? wide : sharp(wide)) + "px", height: (fits ? high : sharp(high)) + "px",
    });
    parts.frame.toggleAttribute("data-magnified", zoom > 1.5 * pixel());
    parts.frame.toggleAttribute("data-whole", whole.width === whole.full_width);
    kept.set(whole.file, { zoom, left, top, fits });
    told();
  }

  function zoomTo(wanted, [x, y] = [frame().width / 2, frame().height / 2]) {
    const now = clamp(wanted, Math.min(all(), pixel()), most());
    fits = now === all();
    left = x - (x - left) / zoom * now;
    top = y - (y - top) / zoom * now;
    zoom = now;
    apply();
  }

  // A place of the picture, in shares of it, in the middle of the frame.
  function centre([x, y]) {
    const { width, height } = frame();
    left = width / 2 - x * whole.full_width * zoom;
    top = height / 2 - y * whole.full_height * zoom;
    apply();
  }

  const view = {
    // Look at a picture; focus: where the work is, x0, y0, x1, y1 in shares of it, to be seen first where not all of it
    // is; null: nowhere.
    use(picture, focus) {
      const same = whole && whole.file === picture.file, before = kept.get(picture.file);
      whole = picture;
      box = focus;
      if (same) return;
      const ratio = whole.full_width / whole.full_height;
      parts.frame.style.setProperty("--ratio", clamp(ratio, TALLEST, WIDEST));
      if (before) {
        ({ zoom, left, top, fits } = before);
        if (fits) zoom = all();
        return apply();
      }
      const { width, height } = frame();
      zoom = ratio > WIDEST ? height / whole.full_height : ratio < TALLEST ? width / whole.full_width : all();
      fits = zoom === all();
      centre(box ? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] : [0.5, 0.5]);
    },
    by(factor, at) { zoomTo(zoom * factor, at); },
    fit() { zoomTo(all()); },
    // at: the pointer in the frame, or null. Out of the whole picture it goes to where the work is, of a tall person the head.
    actual(at) {
      if (at || !fits || !box) return zoomTo(pixel(), at || undefined);
      zoom = pixel();
      fits = zoom === all();
      const [x0, y0, x1, y1] = box, head = y0 + 0.45 * frame().height / (whole.full_height * zoom);
      centre([(x0 + x1) / 2, Math.min((y0 + y1) / 2, head)]);
    },
    // A double click: close to what was clicked, and back.
    turn(at) { if (fits) zoomTo(Math.max(pixel(), 2 * all()), at); else zoomTo(all()); },
    // Two fingers or a drag: ``from`` was taken by ``hold`` when they came.
    hold: () => ({ zoom, left, top }),
    move(from, [x0, y0], [x1, y1], factor = 1) {
      ({ zoom, left, top } = from);
      left += x1 - x0;
      top += y1 - y0;
      zoomTo(zoom * factor, [x1, y1]);
    },
    canShrink: () => zoom > Math.min(all(), pixel()) * 1.001,
    // What is seen, in pixels of the photo, and how wide it is on the screen.
    window() {
      const { width, height } = frame();
      const x = Math.max(0, Math.floor(-left / zoom)), y = Math.max(0, Math.floor(-top / zoom));
      const right = Math.min(whole.full_width, Math.ceil((width - left) / zoom)), bottom = Math.min(whole.full_height, Math.ceil((height - top) / zoom));
      const seen = { x, y, width: right - x, height: bottom - y };
      return { ...seen, wanted: Math.max(1, Math.min(seen.width, Math.round(seen.width * zoom * devicePixelRatio))) };
    },
    across: (share) => left + share * whole.full_width * zoom,  // in the frame
    share: (x) => (x - left) / (whole.full_width * zoom),
    get percent() { return Math.round(100 * zoom * devicePixelRatio); },
    get scale() { return zoom; },
    // Whether more of the photo would be seen than its small copy holds.
    get magnifies() { return whole && whole.width < whole.full_width && zoom * devicePixelRatio > 1.05 * whole.width / whole.full_width; },
    onChange(listener) { told = listener; },
  };
  new ResizeObserver(() => {
    if (!whole || !parts.frame.clientWidth) return;
    if (fits) zoom = all();
    apply();
  }).observe(parts.frame);
  return view;
})();
