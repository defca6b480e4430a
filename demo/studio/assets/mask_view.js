// The mask as a retoucher looks at it: grey, or the person alone on black, on white, or with red over all the rest.
const maskView = (() => {
  const canvas = find("canvas.seen-mask"), pen = canvas.getContext("2d", { willReadFrequently: true });
  const OVER = { grey: null, black: [0, 0, 0, 1], white: [255, 255, 255, 1], red: [220, 30, 30, 0.55] };
  const select = find("select", parts.maskView);
  let file = null, token = 0;

  // file: the mask's address, or null where none is to be seen.
  async function show(wanted = file) {
    file = wanted;
    const way = select.value, mine = ++token;
    parts.maskView.hidden = !file;
    if (!file || way === "outline") { canvas.hidden = true; return; }
    const image = await picture.bitmap(file);
    if (mine !== token) return;
    canvas.width = image.width;
    canvas.height = image.height;
    pen.drawImage(image, 0, 0);
    if (OVER[way]) {
      const [red, green, blue, most] = OVER[way], mask = pen.getImageData(0, 0, image.width, image.height);
      for (let i = 0; i < mask.data.length; i += 4) mask.data.set([red, green, blue, most * (255 - mask.data[i])], i);
      pen.putImageData(mask, 0, 0);
    }
    canvas.hidden = false;
  }

  select.addEventListener("change", () => show().catch((error) => say(error.message, true)));
  return { show };
})();
