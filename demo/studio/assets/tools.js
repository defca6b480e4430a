// What a hand does on the picture: move and scale the person, click, drag a box, paint, zoom; by mouse, touch or keyboard.
// act.place(placement) and act.prompt(kind, points, brush) are told when it is done, act.select(index) when somebody else is
// meant, of whom act.who(point) knows. Points are shares of the picture.
const STEP = 15, KNOB = 34;  // degrees; pixels from the box, as in the style
function makeTools(act) {
  const frame = parts.frame, fingers = new Map(), typed = find("[data-angle]");
  let tool = "point", person = null, place = null, gesture = null, timer = 0, cross = null, corner = null;
  let space = false, pointer = null, tap = { time: 0, x: 0, y: 0 }, click = 0;

  const at = (event) => {
    const box = parts.sheet.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const inFrame = (event) => {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const length = (a, b) => Math.hypot((a[0] - b[0]) * parts.sheet.clientWidth, (a[1] - b[1]) * parts.sheet.clientHeight);
  const shape = () => parts.lines.viewBox.baseVal;

  // --- the person -------------------------------------------------------------------------------------------------
  const isOnPerson = (point) => Boolean(person) && placing.holds(person, place, point);

  function scaled(of, [x, y], factor) {
    const height = clamp(of.height * factor, 0.05, 15);
    const really = height / of.height;
    return { ...of, x: x + really * (of.x - x), y: y + really * (of.y - y), height };
  }

  function kept(of) {  // some of the person always stays in the picture
    const [x0, y0, x1, y1] = placing.bounds(person, of), least = 0.04;
    return {
      ...of,
      x: of.x + Math.max(0, least - x1) - Math.max(0, x0 - (1 - least)),
      y: of.y + Math.max(0, least - y1) - Math.max(0, y0 - (1 - least)),
    };
  }

  // Whether the knob is, where it stands off an edge of the box.
  function isInSight([x, y], angle) {
    const { offsetLeft, offsetTop, clientWidth, clientHeight } = parts.sheet, turned = angle * Math.PI / 180;
    const at = [offsetLeft + x * clientWidth + KNOB * Math.sin(turned), offsetTop + y * clientHeight - KNOB * Math.cos(turned)];
    return at.every((value, axis) => value > 10 && value < [frame.clientWidth, frame.clientHeight][axis] - 10);
  }

  function showHandles(of) {
    parts.handles.hidden = !(person && tool === "move");
    if (parts.handles.hidden) return;
    const { x, y, width, height } = placing.frame(person, of);
    Object.assign(parts.handles.style, {
      left: 100 * (x - width / 2) + "%", top: 100 * (y - height / 2) + "%", width: 100 * width + "%", height: 100 * height + "%",
      transform: "rotate(" + of.angle + "deg)",
    });
    parts.handles.classList.toggle("inward", !isInSight(placing.point(person, of, 0, -1), of.angle));
    if (document.activeElement !== typed) typed.value = of.angle;
  }

  // Show the person as they would stand, before the server has composed them there.
  function drag(to) {
    place = kept(to);
    picture.withoutPatch();
    frame.setAttribute("data-dragging", "");
    const across = placing.width(person, place);
    Object.assign(parts.sprite.style, {
      left: 100 * (place.x - across / 2) + "%", top: 100 * (place.y - place.height / 2) + "%",
      width: 100 * across + "%", height: 100 * place.height + "%", transform: "rotate(" + place.angle + "deg)" + (place.mirrored ? " scaleX(-1)" : ""),
    });
    parts.sprite.hidden = false;
    showHandles(place);
  }

  function resize(factor, after) {
    drag(scaled(place, placing.point(person, place, 0, 1), factor));  // feet stay
    put(after);
  }

  // By degrees, or with ``snapped`` to the next multiple of 15.
  function turn(by, after, snapped) {
    const to = snapped ? STEP * (by > 0 ? Math.floor(place.angle / STEP + 1) : Math.ceil(place.angle / STEP - 1)) : place.angle + by;
    drag(placing.turn(person, place, to));
    put(after);
  }

  typed.addEventListener("change", () => {
    if (typed.value !== "" && person) drag(placing.turn(person, place, clamp(Number(typed.value), -180, 180)));
    put();
  });

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
    const { width: w, height: h } = shape(), rubber = find(".rubber");
    const [x0, x1] = [from[0], to[0]].sort((a, b) => a - b), [y0, y1] = [from[1], to[1]].sort((a, b) => a - b);
    const values = { x: x0 * w, y: y0 * h, width: (x1 - x0) * w, height: (y1 - y0) * h };
    for (const name in values) rubber.setAttribute(name, values[name]);
  }

  function clear() {
    drawRubber([0, 0], [0, 0]);
    strokes.draw([]);
    parts.sprite.hidden = true;
    frame.removeAttribute("data-dragging");
    gesture = null;
  }

  const strokeOf = (event) => event.altKey ? AWAY_WITH[tool] : tool;
  const paint = (kind, points) => act.prompt(kind, points.slice(0, 5000), strokes.settings());

  // A click acts at once; where the tool is for moving, only when it is no double click, which zooms.
  function clicked(point, event) {
    const [x, y] = inFrame(event), twice = event.timeStamp - tap.time < 350 && Math.hypot(x - tap.x, y - tap.y) < 20;
    tap = twice ? { time: 0, x, y } : { time: event.timeStamp, x, y };
    clearTimeout(click);
    if (twice) return view.turn([x, y]);
    if (tool !== "move") return act.prompt("click", [point]);
    const who = act.who(point);
    if (who !== null) act.select(who);
    else if (!isOnPerson(point)) click = setTimeout(() => act.prompt("click", [point]), 350);
  }

  // --- pointer ----------------------------------------------------------------------------------------------------
  frame.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    if (event.button) event.preventDefault();  // no scrolling by the wheel's button
    frame.focus({ preventScroll: true });
    frame.setPointerCapture(event.pointerId);
    const point = at(event);
    fingers.set(event.pointerId, inFrame(event));
    if (fingers.size === 2) {
      clear();
      picture.rest();
      showHandles(place);
      gesture = { kind: "pinch", from: [...fingers.values()], view: view.hold() };
    } else if (event.button === 1 || space) {
      gesture = { kind: "pan", from: inFrame(event), view: view.hold() };
      frame.setAttribute("data-panning", "");
    } else if (event.target.matches(".turn")) {
      gesture = { kind: "turn", from: placing.angle(placing.point(person, place, 0, 0), point) - place.angle, place: { ...place } };
    } else if (event.target.parentNode === parts.handles) {
      const index = [...parts.handles.children].indexOf(event.target);
      const anchor = placing.point(person, place, index % 2 ? -1 : 1, index < 2 ? 1 : -1);  // the opposite corner stays
      gesture = { kind: "scale", from: point, anchor, place: { ...place } };
    } else if (STROKES.includes(tool)) {
      gesture = { kind: strokeOf(event), points: [point] };
      strokes.draw(gesture.points, gesture.kind);
    } else {
      gesture = { kind: tool, from: point, place: place && { ...place }, far: false };
    }
  });

  frame.addEventListener("pointermove", (event) => {
    const point = at(event);
    pointer = event.pointerType === "touch" ? null : inFrame(event);
    strokes.ring(event.pointerType === "touch" && !gesture ? null : point);
    if (!gesture || !fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, inFrame(event));
    if (gesture.kind === "pinch") {
      if (fingers.size < 2) return;
      const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
      const now = [...fingers.values()];
      view.move(gesture.view, middle(gesture.from), middle(now), apart(now) / Math.max(1, apart(gesture.from)));
    } else if (gesture.kind === "pan") {
      view.move(gesture.view, gesture.from, inFrame(event));
    } else if (gesture.kind === "turn") {
      const to = placing.angle(placing.point(person, gesture.place, 0, 0), point) - gesture.from;
      drag(placing.turn(person, gesture.place, event.shiftKey ? STEP * Math.round(to / STEP) : Math.round(to)));
    } else if (gesture.kind === "scale") {
      const from = Math.max(1e-6, length(gesture.from, gesture.anchor));
      drag(scaled(gesture.place, gesture.anchor, length(point, gesture.anchor) / from));
    } else if (gesture.points) {
      if (length(point, gesture.points.at(-1)) > 2) gesture.points.push(point);
      strokes.draw(gesture.points, gesture.kind);
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
    if (done && done.kind === "pinch" && fingers.size) return;  // until the last finger has left, nothing else begins
    gesture = null;
    frame.removeAttribute("data-panning");
    if (event.pointerType === "touch") strokes.ring(null);
    if (!done || ["pinch", "pan"].includes(done.kind)) return;
    if (["scale", "turn"].includes(done.kind) || (tool === "move" && done.far)) put();
    else if (done.points) paint(done.kind, done.points);
    else if (done.far) act.prompt("box", [done.from, point]);
    else clicked(done.from, event);
  });

  frame.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    clear();
    picture.rest();
  });
  frame.addEventListener("pointerleave", () => {
    pointer = null;
    if (!gesture) strokes.ring(null);
  });

  frame.addEventListener("wheel", (event) => {
    const notches = -event.deltaY / (event.deltaMode ? 3 : 100);
    if (event.altKey && person && tool === "move") {
      event.preventDefault();
      return resize(Math.exp(clamp(notches, -1, 1) / 6), 300);
    }
    if (notches < 0 && !view.canShrink()) return;  // the page scrolls
    event.preventDefault();
    const fine = Math.abs(event.deltaY) < 50 && !event.deltaMode;  // a touchpad
    view.by(event.ctrlKey ? Math.exp(-event.deltaY / 100) : 1.1 ** (fine ? notches : Math.sign(notches)), inFrame(event));
  }, { passive: false });

  // Safari tells of a touchpad's pinch in its own way.
  let pinched = 1;
  frame.addEventListener("gesturestart", (event) => { event.preventDefault(); pinched = 1; });
  frame.addEventListener("gesturechange", (event) => {
    event.preventDefault();
    view.by(event.scale / pinched, inFrame(event));
    pinched = event.scale;
  });

  // --- keyboard ---------------------------------------------------------------------------------------------------
  function showCross(to) {
    cross = to && to.map((value) => clamp(value, 0, 1));
    parts.cross.hidden = !cross;
    if (cross) Object.assign(parts.cross.style, { left: 100 * cross[0] + "%", top: 100 * cross[1] + "%" });
    if (STROKES.includes(tool)) strokes.ring(cross);
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
      resize(event.key === "-" ? 1 / 1.05 : 1.05, 400);
    } else if (moving && ["Comma", "Period"].includes(event.code)) {
      turn(event.code === "Comma" ? -1 : 1, 400, event.shiftKey);
    } else if (way) {
      const from = cross || [0.5, 0.5];
      if (event.shiftKey && !corner && tool === "point") corner = from;
      showCross([from[0] + 0.02 * way[0], from[1] + 0.02 * way[1]]);
      if (corner) drawRubber(corner, cross);
    } else if (event.key === "Enter" && cross) {
      if (STROKES.includes(tool)) paint(strokeOf(event), [cross]);
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
  // Help with the keys is for who comes by them, not for every key that is pressed there.
  frame.addEventListener("focus", ({ relatedTarget }) => {
    frame.toggleAttribute("data-by-keys", Boolean(relatedTarget) && frame.matches(":focus-visible"));
  });

  return {
    use(name) {
      tool = name;
      frame.dataset.hand = name;
      if (place) showHandles(place); else parts.handles.hidden = true;
      strokes.ring(null);
    },
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
    viewed() { strokes.ring(); if (place) showHandles(place); },
    // The space bar, held: the picture is dragged, whatever the tool is.
    set space(held) { space = held; frame.toggleAttribute("data-space", held); },
    get handling() { return Boolean(gesture || timer); },
    get pointer() { return pointer; },  // where it is in the frame; null where it is not, and of fingers
  };
}
