// One trial on screen: a pair, or pictures to rank. Pictures of coming trials are loaded before they are needed.
const LETTERS = ["A", "B"];
const ANSWERS = {
  left: { text: "A", key: "←", label: "A is better" },
  tie: { text: "No difference", key: "↓", label: "No difference between A and B" },
  right: { text: "B", key: "→", label: "B is better" },
  both_bad: { text: "Both bad", key: "0", label: "Both are bad" },
  skip: { text: "Skip", key: "Space", label: "Skip this one" },
};
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "tie", 0: "both_bad", " ": "skip" };

function makeNode(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in node && name !== "style") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Decoded pictures of the coming trials, each asked for once, and again until it is there. A trial is known by its number
// and its pictures: another rater on the same page has trials of the same numbers.
function makePictures() {
  const kept = new Map();
  const names = (trial) => (trial.composite ? [...trial.pictures, trial.composite] : trial.pictures);
  const key = (trial) => [trial.trial, ...names(trial)].join();
  async function load(name, wanted) {
    for (let tries = 0; ; tries += 1) {
      const image = makeNode("img", { src: `${base}picture/${name}.png`, draggable: false });
      try {
        await image.decode();
        return image;
      } catch {
        if (!kept.has(wanted)) return new Promise(() => {}); // no one waits for it any more
        await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 400 * 2 ** tries)));
      }
    }
  }
  return {
    // Keeps the pictures of these trials and of no others.
    prepare(trials) {
      const wanted = new Set(trials.map(key));
      for (const one of kept.keys()) if (!wanted.has(one)) kept.delete(one);
      for (const trial of trials) {
        if (!kept.has(key(trial))) kept.set(key(trial), names(trial).map((name) => load(name, key(trial))));
      }
    },
    of: (trial) => kept.get(key(trial)),
  };
}

// The number of columns that shows ``count`` pictures of a width-to-height ratio largest; in doubt, side by side.
function bestColumns(count, width, height, ratio) {
  const size = (rows) => Math.min(width / Math.ceil(count / rows) / ratio, height / rows);
  const rows = Array.from({ length: count }, (_, at) => at + 1).reduce((best, more) => (size(more) > 1.05 * size(best) ? more : best));
  return Math.ceil(count / rows);
}

// Puts a trial on screen. ``settings``: the study's words and least viewing time; ``give(choice, seconds, ranks)`` is
// called once, and never after ``close``. Returns what keys may do with it.
function showTrial(trial, images, settings, zoom, give) {
  const panes = element.querySelector(".panes"), answers = element.querySelector(".answers");
  const ranking = trial.task === "ranking";
  const part = ranking ? settings.ranking : settings.pairs;
  let shownAt = null, open = false, closed = false, order = [];

  const names = trial.pictures.map((_, at) => (ranking ? String(at + 1) : LETTERS[at]));
  const list = trial.pictures.map((_, at) => makeNode("div", { className: "pane loading" }, makeNode("b", { textContent: names[at] })));
  if (trial.composite) list.splice(ranking ? 0 : 1, 0, makeNode("div", { className: "pane loading" }, makeNode("b", { textContent: "Original" })));
  const judged = trial.composite ? list.filter((_, at) => at !== (ranking ? 0 : 1)) : list;
  panes.replaceChildren(...list);
  const arrange = (ratio) => panes.style.setProperty("--columns", bestColumns(list.length, panes.clientWidth, panes.clientHeight, ratio));
  arrange(1);

  const say = (text) => { element.querySelector("#vote-live").textContent = text; };
  const button = (attributes, text, key) => makeNode("button", { type: "button", disabled: true, ...attributes }, makeNode("span", {}, ...[text].flat()), ...(key ? [makeNode("kbd", { textContent: key, ariaHidden: "true" })] : []));

  function close() {
    if (closed) return;
    [open, closed] = [false, true];
    for (const one of answers.children) one.disabled = true;
  }
  function answer(choice, ranks = null) {
    if (!open) return;
    close();
    give(choice, (performance.now() - shownAt) / 1000, ranks);
  }
  function rank(at) {
    if (!open) return;
    if (order.includes(at)) order = order.filter((one) => one !== at);
    else if (order.length < part.ranks) order.push(at);
    else return say(`All ${part.ranks} ranks are given; take one back first`);
    say(order.length ? order.map((one, place) => `rank ${place + 1}: picture ${names[one]}`).join(", ") : "no ranks given");
    draw();
  }
  function draw() {
    judged.forEach((pane, at) => {
      pane.querySelector(".rank")?.remove();
      const place = order.indexOf(at);
      if (place >= 0) pane.append(makeNode("b", { className: "rank", textContent: place + 1 }));
      const button = answers.querySelector(`[data-rank="${at}"]`);
      button.ariaPressed = String(place >= 0);
      button.ariaLabel = place >= 0 ? `Picture ${names[at]}: rank ${place + 1}` : `Picture ${names[at]}: no rank`;
    });
    answers.querySelector('[data-do="rank"]').disabled = !open || !order.length;
  }
  const send = () => { if (order.length) answer("ranked", trial.pictures.map((_, at) => (order.includes(at) ? order.indexOf(at) + 1 : null))); };

  if (ranking) {
    const done = button({ className: "primary" }, "Done", "Enter");
    done.dataset.do = "rank";
    done.addEventListener("click", send);
    const skip = button({ ariaLabel: ANSWERS.skip.label }, ANSWERS.skip.text, ANSWERS.skip.key);
    skip.addEventListener("click", () => answer("skip"));
    const picks = names.map((name, at) => {
      const one = button({ ariaPressed: "false" }, [makeNode("span", { className: "long", textContent: "Picture " }), name], name);
      one.dataset.rank = at;
      one.addEventListener("click", () => rank(at));
      return one;
    });
    answers.replaceChildren(...picks, done, skip);
    draw();
  } else {
    const choices = ["left", ...["tie", "both_bad"].filter((one) => part.answers.includes(one)), "right"];
    if (part.answers.includes("skip")) choices.push("skip");
    answers.replaceChildren(...choices.map((choice) => {
      const { text, key, label } = ANSWERS[choice];
      const one = button({ ariaLabel: label, className: ["left", "right"].includes(choice) ? "primary" : "" }, text, key);
      one.dataset.choice = choice;
      one.addEventListener("click", () => answer(choice));
      return one;
    }));
  }
  element.querySelector("#vote-question").textContent = part.question;
  const note = element.querySelector(".note");
  note.textContent = trial.note || "";
  note.hidden = !trial.note;
  zoom.attach(list, ranking ? list.map((pane) => (judged.includes(pane) ? () => rank(judged.indexOf(pane)) : null)) : []);

  const ready = Promise.all(images).then(async (loaded) => {
    if (closed) return;
    // The composite comes last in the list of pictures, wherever it stands on screen.
    const places = trial.composite ? [...judged, list.find((pane) => !judged.includes(pane))] : judged;
    loaded.forEach((image, at) => {
      image.alt = at < names.length ? `Picture ${names[at]}` : "The original picture";
      places[at].classList.remove("loading");
      if (ranking && at < names.length) places[at].classList.add("rankable");
      places[at].prepend(image);
    });
    arrange(loaded[0].naturalWidth / loaded[0].naturalHeight);
    zoom.fit();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    shownAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1000 * settings.gate.min_seconds));
    if (closed) return;
    open = true;
    for (const one of answers.children) one.disabled = one.dataset.do === "rank";
    say(`${part.question} ${trial.note || ""}`);
  });

  return {
    trial,
    ready,
    close,
    key(name) {
      if (!ranking) {
        const choice = KEYS[name];
        const known = choice && answers.querySelector(`[data-choice="${choice}"]`);
        if (known) answer(choice);
        return Boolean(known);
      }
      if (name === "Enter") send();
      else if (name === " ") answer("skip");
      else if (name === "Backspace" && order.length) rank(order.at(-1));
      else if (Number(name) >= 1 && Number(name) <= names.length) rank(Number(name) - 1);
      else return false;
      return true;
    },
  };
}
