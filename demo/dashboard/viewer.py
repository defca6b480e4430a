"""Two small browser parts: panels of pictures that zoom and move together, and a strip of thumbnails to click.

Texts and pictures reach the page as data, never as HTML. Zoom: double click, pinch, Ctrl + wheel, or + − 0 on a
focused picture; drag to move; every panel follows.
"""

from dataclasses import dataclass

import streamlit as st

PANELS_CSS = """
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(clamp(140px, 50% - 6px, 220px), 1fr));
  gap: 12px; }
figure { margin: 0; }
.frame { position: relative; overflow: hidden; border-radius: 6px; background: var(--st-secondary-background-color);
  cursor: zoom-in; touch-action: pan-y; outline-offset: 2px; }
.frame.near { cursor: grab; touch-action: none; }
.move { position: absolute; inset: 0; transform-origin: 0 0; }
img { width: 100%; height: 100%; display: block; user-select: none; -webkit-user-drag: none; }
.near img.deep { image-rendering: pixelated; }
svg { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
path { fill: none; vector-effect: non-scaling-stroke; stroke-width: 2; }
.fg { stroke: #ff5a36; } .ref { stroke: #2fb8ff; stroke-dasharray: 5 3; }
figcaption { font: 500 14px/1.35 var(--st-font); color: var(--st-text-color); padding-top: 5px; }
figcaption span { display: block; font-weight: 400; font-size: 13px; opacity: .75; font-variant-numeric: tabular-nums; }
"""

PANELS_JS = """
export default function ({ data, parentElement }) {
  const grid = parentElement.querySelector('.grid');
  const view = grid.view ?? (grid.view = { s: 1, x: 0, y: 0 });   // survives new pictures
  const frames = [];
  const apply = () => frames.forEach(({ frame, move, img }) => {
    move.style.transform = `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.s})`;
    frame.classList.toggle('near', view.s > 1);
    img.classList.toggle('deep', view.s >= 4);
  });
  const zoom = (factor, px, py) => {      // px, py in 0..1 of the frame stay where they are
    const s = Math.min(16, Math.max(1, view.s * factor));
    view.x = px - (px - view.x) * s / view.s;
    view.y = py - (py - view.y) * s / view.s;
    view.s = s; hold();
  };
  const hold = () => {
    view.x = Math.min(0, Math.max(1 - view.s, view.x));
    view.y = Math.min(0, Math.max(1 - view.s, view.y));
    apply();
  };
  const reset = () => { view.s = 1; view.x = view.y = 0; apply(); };
  const at = (frame, event) => {
    const box = frame.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, box];
  };
  const panel = (item) => {
    const figure = document.createElement('figure');
    const frame = Object.assign(document.createElement('div'), { className: 'frame', tabIndex: 0 });
    frame.style.aspectRatio = data.aspect;
    frame.setAttribute('role', 'group');
    frame.setAttribute('aria-label', `${item.title}. Plus, minus and 0 zoom all pictures.`);
    const move = Object.assign(document.createElement('div'), { className: 'move' });
    const img = Object.assign(document.createElement('img'), { src: item.src, alt: item.alt, draggable: false });
    move.append(img);
    if (item.outlines) {
      const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      svg.setAttribute('viewBox', '0 0 100 100'); svg.setAttribute('preserveAspectRatio', 'none');
      for (const kind of ['ref', 'fg']) {
        const path = document.createElementNS(svg.namespaceURI, 'path');
        path.setAttribute('d', data[kind]); path.setAttribute('class', kind); svg.append(path);
      }
      move.append(svg);
    }
    frame.append(move);
    const caption = document.createElement('figcaption');
    const note = document.createElement('span');
    note.textContent = item.note;
    caption.append(item.title, note);
    figure.append(frame, caption);
    frames.push({ frame, move, img });
    const touches = new Map();
    frame.onwheel = (e) => {
      if (e.ctrlKey || e.metaKey) { e.preventDefault(); zoom(Math.exp(-e.deltaY / 200), ...at(frame, e)); }
    };
    frame.ondblclick = (e) => view.s > 1 ? reset() : zoom(3, ...at(frame, e));
    frame.onkeydown = (e) => {
      if (e.key === '+' || e.key === '=') zoom(1.5, .5, .5);
      else if (e.key === '-') zoom(1 / 1.5, .5, .5);
      else if (e.key === '0') reset();
    };
    frame.onpointerdown = (e) => { touches.set(e.pointerId, e); if (view.s > 1) frame.setPointerCapture(e.pointerId); };
    frame.onpointerup = frame.onpointercancel = (e) => touches.delete(e.pointerId);
    frame.onpointermove = (e) => {
      const before = touches.get(e.pointerId);
      if (!before) return;
      const box = frame.getBoundingClientRect();
      if (touches.size === 2) {
        const other = [...touches.values()].find((t) => t.pointerId !== e.pointerId);
        const span = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
        zoom(span(e) / Math.max(1, span(before)), ...at(frame, other));
      } else if (view.s > 1) {
        view.x += (e.clientX - before.clientX) / box.width; view.y += (e.clientY - before.clientY) / box.height; hold();
      }
      touches.set(e.pointerId, e);
    };
    return figure;
  };
  grid.replaceChildren(...data.panels.map(panel));
  apply();
}
"""

STRIP_CSS = """
.strip { display: flex; gap: 8px; overflow-x: auto; padding: 4px 2px 8px; }
button { flex: 0 0 104px; border: 2px solid transparent; border-radius: 6px; padding: 2px; background: none;
  cursor: pointer; color: var(--st-text-color); font: 12px/1.3 var(--st-font); font-variant-numeric: tabular-nums; }
button[aria-current="true"] { border-color: var(--st-primary-color); }
img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 4px; display: block; margin-bottom: 3px; }
"""

STRIP_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector('.strip');
  strip.replaceChildren(...data.items.map((item) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-current', String(item.id === data.current));
    button.setAttribute('aria-label', `Open ${item.id}, ${item.note}`);
    const img = Object.assign(document.createElement('img'), { src: item.src, alt: '', loading: 'lazy' });
    button.append(img, item.note);
    button.onclick = () => setTriggerValue('opened', item.id);
    return button;
  }));
  const now = strip.querySelector('[aria-current="true"]');
  if (now) strip.scrollLeft = now.offsetLeft - strip.clientWidth / 2 + now.clientWidth / 2;
}
"""


@dataclass(frozen=True)
class Panel:
    """One picture: ``src`` a data URL, ``note`` the numbers below it, ``alt`` for who cannot see it."""

    title: str
    note: str
    src: str
    alt: str
    outlines: bool = False


def panels(items: list[Panel], foreground: str, reference: str, aspect: float, key: str) -> None:
    """Draws panels that zoom together. ``foreground`` and ``reference``: SVG paths; ``aspect``: width / height."""
    draw = st.components.v2.component(
        "iph_panels", html='<div class="grid"></div>', css=PANELS_CSS, js=PANELS_JS, isolate_styles=True
    )
    data = {"panels": [vars(item) for item in items], "fg": foreground, "ref": reference, "aspect": aspect}
    draw(data=data, key=key)


def strip(items: list[dict[str, str]], current: str, key: str) -> str | None:
    """Draws thumbnails (``id``, ``src``, ``note``); returns the id that was just clicked."""
    draw = st.components.v2.component(
        "iph_strip", html='<div class="strip" role="group" aria-label="Images"></div>', css=STRIP_CSS, js=STRIP_JS
    )
    return draw(data={"items": items, "current": current}, key=key, on_opened_change=lambda: None).opened
