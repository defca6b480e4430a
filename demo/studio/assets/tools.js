// What a hand does on the picture: move and scale the person, click, drag a box, paint; by mouse, touch or keyboard.
// act.place(placement) and act.prompt(kind, points, size) are told when it is done. Points are shares of the picture.
function makeTools(act) {
  const frame = parts.frame, fingers = new Map();
  let tool = "point", person = null, place = null, gesture = null, timer = 0, cross = null, corner = null;

  const at = (event) => {
    const box = frame.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const view = () => parts.lines.viewBox.baseVal;
  const brush = () => Number(find("input", parts.size).value) / 100;

  // --- the person -------------------------------------------------------------------------------------------------
  function width(of) {
    return of.height * person.width / person.height * view().height / view().width;
  }

  function bounds(of) {
    const [x0, y0, x1, y1] = person.box, across = width(of);
    const [left, right] = of.mirrored ? [1 - x1, 1 - x0] : [x0, x1];
    const x = of.x - across / 2, y = of.y - of.height / 2;
    return [x + left * across, y + y0 * of.height, x + right * across, y + y1 * of.height];
  }

  function scaled(of, [x, y], factor) {
    const height = clamp(of.height * factor, 0.05, 15);
    const really = height / of.height;
    return { ...of, x: x + really * (of.x - x), y: y + really * (of.y - y), height };
  }

  function kept(of) {  // some of the person always stays in the picture
    const [x0, y0, x1, y1] = bounds(of), least = 0.04;
    return {
      ...of,
      x: of.x + Math.max(0, least - x1) - Math.max(0, x0 - (1 - least)),
      y: of.y + Math.max(0, least - y1) - Math.max(0, y0 - (1 - least)),
    };
  }

  function showHandles(of) {
    parts.handles.hidden = !(person && tool === "move");
    if (parts.handles.hidden) return;
    const [x0, y0, x1, y1] = bounds(of);
    Object.assign(parts.handles.style, {
      left: 100 * x0 + "%", top: 100 * y0 + "%", width: 100 * (x1 - x0) + "%", height: 100 * (y1 - y0) + "%",
    });
  }

  // Show the person as they would stand, before the server has composed them there.
  function drag(to) {
    place = kept(to);
    picture.withoutPatch();
    frame.setAttribute("data-dragging", "");
    const across = width(place);
    Object.assign(parts.sprite.style, {
      left: 100 * (place.x - across / 2) + "%", top: 100 * (place.y - place.height / 2) + "%",
      width: 100 * across + "%", height: 100 * place.height + "%", transform: place.mirrored ? "scaleX(-1)" : "",
    });
    parts.sprite.hidden = false;
    showHandles(place);
  }

  function put(after = 0) {
    clearTimeout(timer);
    timer = setTimeout(flush, after);
  }

  function flush() {  // what still waits to be sent
    if (!timer) return;
    clearTimeout(timer);
    timer = 0;
    act.place(place);
  }

  // --- prompts ------------------------------------------------------------------------------------------------------
  function drawRubber(from, to) {
    const { width: w, height: h } = view(), rubber = find(".rubber");
    const [x0, x1] = [from[0], to[0]].sort((a, b) => a - b), [y0, y1] = [from[1], to[1]].sort((a, b) => a - b);
    const values = { x: x0 * w, y: y0 * h, width: (x1 - x0) * w, height: (y1 - y0) * h };
    for (const name in values) rubber.setAttribute(name, values[name]);
  }

  function drawStroke(points) {
    const { width: w, height: h } = view(), stroke = find(".stroke");
    const [first, ...rest] = points.map(([x, y]) => (x * w).toFixed(1) + " " + (y * h).toFixed(1));
    stroke.setAttribute("d", first ? "M" + first + "L" + (rest.length ? rest : [first]).join("L") : "");
    stroke.setAttribute("stroke-width", brush() * Math.max(w, h));
    stroke.classList.toggle("erase", tool === "erase");
  }

  function clear() {
    drawRubber([0, 0], [0, 0]);
    drawStroke([]);
    parts.sprite.hidden = true;
    frame.removeAttribute("data-dragging");
    gesture = null;
  }

  // --- pointer ----------------------------------------------------------------------------------------------------
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    frame.focus({ preventScroll: true });
    frame.setPointerCapture(event.pointerId);
    const point = at(event);
    fingers.set(event.pointerId, point);
    if (fingers.size === 2 && person && tool === "move") {
      gesture = { kind: "pinch", from: [...fingers.values()], place: { ...place } };
    } else if (event.target.parentNode === parts.handles) {
      const [x0, y0, x1, y1] = bounds(place), index = [...parts.handles.children].indexOf(event.target);
      const anchor = [index % 2 ? x0 : x1, index < 2 ? y1 : y0];  // the opposite corner stays
      gesture = { kind: "scale", from: point, anchor, place: { ...place } };
    } else if (tool === "brush" || tool === "erase") {
      gesture = { kind: tool, points: [point] };
      drawStroke(gesture.points);
    } else {
      gesture = { kind: tool, from: point, place: place && { ...place }, far: false };
    }
  });

  frame.addEventListener("pointermove", (event) => {
    if (!gesture || !fingers.has(event.pointerId)) return;
    const point = at(event);
    fingers.set(event.pointerId, point);
    const box = frame.getBoundingClientRect();
    const length = (a, b) => Math.hypot((a[0] - b[0]) * box.width, (a[1] - b[1]) * box.height);
    if (gesture.kind === "pinch") {
      const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], now = [...fingers.values()];
      const from = middle(gesture.from), to = middle(now);
      const resized = scaled(gesture.place, from, length(...now) / Math.max(1, length(...gesture.from)));
      drag({ ...resized, x: resized.x + to[0] - from[0], y: resized.y + to[1] - from[1] });
    } else if (gesture.kind === "scale") {
      const from = Math.max(1, length(gesture.from, gesture.anchor));
      drag(scaled(gesture.place, gesture.anchor, length(point, gesture.anchor) / from));
    } else if (gesture.points) {
      if (length(point, gesture.points.at(-1)) > 2) gesture.points.push(point);
      drawStroke(gesture.points);
    } else {
      gesture.far ||= length(point, gesture.from) > 6;
      if (!gesture.far) return;
      if (tool === "move" && person) {
        const [dx, dy] = [point[0] - gesture.from[0], point[1] - gesture.from[1]];
        drag({ ...gesture.place, x: gesture.place.x + dx, y: gesture.place.y + dy });
      } else {
        drawRubber(gesture.from, point);
      }
    }
  });

  frame.addEventListener("pointerup", (event) => {
    const point = at(event), done = gesture;
    fingers.delete(event.pointerId);
    gesture = null;
    if (!done) return;
    if (["pinch", "scale"].includes(done.kind) || (tool === "move" && done.far)) put();
    else if (done.points) act.prompt(done.kind, done.points.slice(0, 5000), brush());
    else if (done.far) act.prompt("box", [done.from, point]);
    else act.prompt("click", [done.from]);
  });

  frame.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    clear();
    picture.rest();
  });

  frame.addEventListener("wheel", (event) => {
    if (!person || tool !== "move") return;
    const [x, y] = at(event), [x0, y0, x1, y1] = bounds(place);
    if (x < x0 || x > x1 || y < y0 || y > y1) return;  // beside the person the page scrolls
    event.preventDefault();
    drag(scaled(place, [(x0 + x1) / 2, y1], Math.exp(-clamp(event.deltaY, -100, 100) / 600)));  // feet stay
    put(300);
  }, { passive: false });

  // --- keyboard ---------------------------------------------------------------------------------------------------
  function showCross(to) {
    cross = to && to.map((value) => clamp(value, 0, 1));
    parts.cross.hidden = !cross;
    if (cross) Object.assign(parts.cross.style, { left: 100 * cross[0] + "%", top: 100 * cross[1] + "%" });
  }

  frame.addEventListener("keydown", (event) => {
    if (event.target !== frame || event.ctrlKey || event.metaKey) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const moving = tool === "move" && person;
    if (way && moving) {
      const step = event.shiftKey ? 0.05 : 0.01;
      drag({ ...place, x: place.x + step * way[0], y: place.y + step * way[1] });
      put(400);
    } else if (moving && ["+", "=", "-"].includes(event.key)) {
      const [x0, , x1, y1] = bounds(place);
      drag(scaled(place, [(x0 + x1) / 2, y1], event.key === "-" ? 1 / 1.05 : 1.05));
      put(400);
    } else if (way) {
      const from = cross || [0.5, 0.5];
      if (event.shiftKey && !corner && tool === "point") corner = from;
      showCross([from[0] + 0.02 * way[0], from[1] + 0.02 * way[1]]);
      if (corner) drawRubber(corner, cross);
    } else if ((event.key === "Enter" || event.key === " ") && cross) {
      if (tool === "brush" || tool === "erase") act.prompt(tool, [cross], brush());
      else if (corner) act.prompt("box", [corner, cross]);
      else act.prompt("click", [cross]);
      corner = null;
    } else if (event.key === "Escape") {
      corner = null;
      showCross(null);
      drawRubber([0, 0], [0, 0]);
    } else {
      return;
    }
    event.preventDefault();
  });
  frame.addEventListener("blur", () => { showCross(null); corner = null; });

  return {
    use(name) { tool = name; frame.dataset.hand = name; if (place) showHandles(place); else parts.handles.hidden = true; },
    // What the server answered: the person as they stand now, or nobody.
    settle(now) {
      person = now;
      place = now && { ...now.placement };
      if (now) parts.sprite.src = addressOf(now.sprite);
      clear();
      showHandles(place);
    },
    // An answer came while a hand is at it: what the hand moved stays where it is.
    hold() { if (!parts.sprite.hidden) picture.withoutPatch(); },
    flush,
    mirror() { drag({ ...place, mirrored: !place.mirrored }); put(); },
    get handling() { return Boolean(gesture || timer); },
  };
}
