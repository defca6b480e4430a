// One zoom for all pictures on screen: wheel, pinch, drag, + and −. The view is kept in shares of the pane, so that the
// same spot of the scene is at the same place of every pane.
function makeZoom() {
  const MOST = 12, STEP = 1.5;
  let panes = [], scale = 1, x = 0, y = 0;
  const fingers = new Map();

  function show() {
    for (const pane of panes) {
      const { width, height } = pane.getBoundingClientRect();
      const image = pane.querySelector("img");
      if (image) image.style.transform = `translate(${x * width}px, ${y * height}px) scale(${scale})`;
      pane.classList.toggle("zoomed", scale > 1);
    }
  }
  // Keeps the point (u, v), in shares of the pane, where it is.
  function zoomTo(wanted, u = 0.5, v = 0.5) {
    const next = Math.min(MOST, Math.max(1, wanted));
    x = u - ((u - x) / scale) * next;
    y = v - ((v - y) / scale) * next;
    scale = next;
    hold();
  }
  function hold() {
    x = Math.min(0, Math.max(1 - scale, x));
    y = Math.min(0, Math.max(1 - scale, y));
    show();
  }
  const place = (pane, event) => {
    const box = pane.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const spread = () => {
    const [one, two] = [...fingers.values()];
    return Math.hypot(one[0] - two[0], one[1] - two[1]) || 1e-6;
  };

  function listen(pane, onTap) {
    let moved = false;
    pane.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoomTo(scale * Math.exp(-event.deltaY * 0.0016), ...place(pane, event));
    }, { passive: false });
    pane.addEventListener("pointerdown", (event) => {
      pane.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, place(pane, event));
      moved = fingers.size > 1;
    });
    pane.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const after = place(pane, event);
      if (Math.hypot(after[0] - before[0], after[1] - before[1]) > 0.004) moved = true;
      if (fingers.size === 2) {
        const apart = spread();
        fingers.set(event.pointerId, after);
        const [one, two] = [...fingers.values()];
        zoomTo(scale * (spread() / apart), (one[0] + two[0]) / 2, (one[1] + two[1]) / 2);
      } else if (moved) {
        fingers.set(event.pointerId, after);
        x += after[0] - before[0];
        y += after[1] - before[1];
        hold();
      }
    });
    const lift = (event) => {
      const tapped = fingers.delete(event.pointerId) && !moved && event.type === "pointerup";
      if (tapped && onTap) onTap();
    };
    pane.addEventListener("pointerup", lift);
    pane.addEventListener("pointercancel", lift);
    pane.addEventListener("dblclick", (event) => {
      if (!onTap) zoomTo(scale > 1 ? 1 : 3, ...place(pane, event));
    });
  }

  window.addEventListener("resize", show);
  return {
    // Takes over new panes, at whole-picture view; ``taps[i]`` is called for a click on pane i.
    attach(list, taps = []) {
      [panes, scale, x, y] = [list, 1, 0, 0];
      fingers.clear();
      list.forEach((pane, at) => listen(pane, taps[at]));
      show();
    },
    in: () => zoomTo(scale * STEP),
    out: () => zoomTo(scale / STEP),
    fit: () => zoomTo(1),
  };
}
