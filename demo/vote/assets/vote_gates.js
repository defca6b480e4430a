// What stands between consent and the first pair: the window's size, and what the screen shows of very dark and light.
function tooSmall() { return innerWidth < study.gate.min_width || innerHeight < study.gate.min_height; }
function checkScreen() {
  fill("need", `${study.gate.min_width} × ${study.gate.min_height}`);
  fill("have", `${innerWidth} × ${innerHeight}`);
  if (tooSmall()) return stage("screen");
  if (view) return advance(); // someone who goes on, perhaps on another device
  return study.gate.brightness_check && !brightness ? checkBrightness() : enter();
}
function checkBrightness(tries = 0) {
  stage("brightness");
  if (tries) banner("Please look once more.");
  const shown = { black: 1 + Math.floor(4 * Math.random()), white: 1 + Math.floor(4 * Math.random()) };
  for (const [field, count] of Object.entries(shown)) {
    const level = field === "black" ? 14 : 241; // visible on a screen that shows the darkest and lightest 6 %
    const places = Array.from({ length: 8 }, (_, at) => at).sort(() => Math.random() - 0.5).slice(0, count);
    find(`.patches .${field}`).replaceChildren(...Array.from({ length: 8 }, (_, at) =>
      makeNode("span", { style: places.includes(at) ? `background: rgb(${level} ${level} ${level})` : "" })));
  }
  const total = shown.black + shown.white;
  find(".counts").replaceChildren(...Array.from({ length: 10 }, (_, counted) => {
    const button = makeNode("button", { type: "button", textContent: counted });
    button.addEventListener("click", () => {
      banner("");
      brightness = { shown: total, counted };
      if (counted === total) enter();
      else if (tries < 1) checkBrightness(tries + 1);
      else end("Thank you for looking", "This study needs a screen that shows very dark and very light tones.", study.codes.screened_out);
    });
    return button;
  }));
}
function showKeys() {
  const keys = [];
  if (study.pairs) for (const choice of ["left", "right", ...study.pairs.answers]) keys.push([ANSWERS[choice].key, ANSWERS[choice].label]);
  if (study.ranking) keys.push(["1 2 3", `Rank pictures, the best first, up to ${study.ranking.ranks}`], ["Enter", "Send the ranks"]);
  keys.push(["U", "Take back the last answer"], ["+ − F", "Zoom in, zoom out, whole picture (or wheel, pinch and drag)"]);
  find(".keys").replaceChildren(...keys.flatMap(([key, text]) => [
    makeNode("dt", {}, ...key.split(" ").map((one) => makeNode("kbd", { textContent: one }))), makeNode("dd", { textContent: text })]));
}
