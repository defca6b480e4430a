// True pixels of what is seen, from the server, over the preview: nothing enlarged passes for the photo. They stay until
// newer ones are there, and the sliders change them as they change the preview.
const closeup = (() => {
  const after = find("canvas.sharp.after"), before = find("canvas.sharp.before");
  const pens = [after, before].map((canvas) => canvas.getContext("2d", { willReadFrequently: true }));
  let timer = 0, asked = 0, asking = null, made = null, content = "", wanted = null, split = 0.5;

  // Whether all that is seen is there, as closely as it is seen.
  function isSharp() {
    if (!made) return false;
    const had = made.seen, now = view.window();
    return had.x <= now.x && had.y <= now.y && had.x + had.width >= now.x + now.width
      && had.y + had.height >= now.y + now.height && had.wanted / had.width >= 0.99 * now.wanted / now.width;
  }

  function tell() {
    const sharp = isSharp();
    parts.zoom.textContent = view.percent + " %" + (view.magnifies && !sharp ? ", preview" : "");
    parts.frame.toggleAttribute("data-sharp", sharp);
  }

  function drop() {
    made = null;
    after.hidden = before.hidden = true;
    tell();
  }

  // name: which picture is seen; of: what it is made of, so that pixels of something else are not shown.
  function show(name, of) {
    wanted = name;
    if (of !== content) drop();
    content = of;
    ask();
  }

  function ask() {
    clearTimeout(timer);
    if (asking) asking.abort();
    asking = null;  // what is under way after its request has nothing to say any more either
    if (!wanted || !view.magnifies) return made ? drop() : tell();
    tell();
    const now = performance.now();
    timer = setTimeout(bring, now - asked > 300 ? 0 : 120);  // at once, unless the hand is still at it
    asked = now;
  }

  async function bring() {
    const mine = asking = new AbortController(), seen = view.window(), of = content;
    try {
      const image = await insist(async () => {
        const { blob } = await session.crop({ view: wanted, ...seen }, mine.signal);
        return createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" })
          .catch(() => { throw new Refusal("away", AWAY); });  // cut off on its way
      });
      if (mine !== asking || of !== content) return;
      const count = Math.round(image.height * seen.width / (seen.height * seen.wanted)), height = image.height / count;
      for (const canvas of [after, before]) {
        canvas.width = seen.wanted;
        canvas.height = height;
        Object.assign(canvas.style, {
          left: 100 * seen.x / whole().full_width + "%", top: 100 * seen.y / whole().full_height + "%",
          width: 100 * seen.width / whole().full_width + "%", height: 100 * seen.height / whole().full_height + "%",
        });
      }
      const rows = [...Array(count).keys()].map((row) => {
        pens[0].drawImage(image, 0, -row * height);
        return pens[0].getImageData(0, 0, seen.wanted, height);
      });
      // As it was, how far the person covers it, before their change where others have theirs, at full strength, now.
      // Of a picture that nothing is done to there is only the first, of one whose person is hidden the first and last.
      const [was, cover, ...changed] = rows, now = rows.at(-1);
      made = { seen, was, cover, from: count === 5 ? changed[0] : was, full: changed[count === 5 ? 1 : 0], now };
      after.dataset.window = [seen.x, seen.y, seen.width, seen.height].join(" ");
      pens[1].putImageData(made.was, 0, 0);
      pens[0].putImageData(made.now, 0, 0);
      after.hidden = false;
      before.hidden = count === 1;
      clip(split);
      tell();
    } catch (error) {
      if (mine !== asking) return;
      if (error.code === "gone") send("act", "resume");  // which brings the work back
      else say(error.message, true, "Try again", ask);
    }
  }

  const whole = () => scene()[0];

  function clip(share) {  // the divider, in shares of the photo
    split = share;
    if (!made) return;
    const { x, width } = made.seen, inside = clamp((share * whole().full_width - x) / width, 0, 1);
    before.style.clipPath = "inset(0 " + 100 * (1 - inside) + "% 0 0)";
  }

  view.onChange(() => { picture.placeSplit(); ask(); tools.viewed(); });
  return {
    show, clip,
    blend(amounts, adjustments) {
      if (made && made.full) pens[0].putImageData(blended(made, amounts, adjustments), 0, 0);
    },
  };
})();
