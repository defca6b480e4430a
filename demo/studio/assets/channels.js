// What the visitor did, on its way: one event at a time per channel, in order; the answer is the page's whole state.
const channels = { act: [], adjust: [], thumbnails: [], save: [] };
const WORDS = {
  open: "Reading the photo", example: "Opening", place: "Harmonizing", prompt: "Looking there", take: "Harmonizing",
  auto: "Choosing", undo: "Undoing", resume: "Opening", save: "Writing the full-size file",
};

const isWaiting = (channel, name) => channels[channel].some((event) => event.name === name);

// Everything that changes the work goes through "act", in order. A newer place replaces one that still waits.
function send(channel, name, data = {}) {
  if (name !== "thumbnails") hush();
  if (!["place", "thumbnails"].includes(name)) tools.flush();  // what is seen goes first
  const waiting = channels[channel], newest = waiting.at(-1);
  if (waiting.length > 1 && newest.name === name && ["place", "adjust", "thumbnails"].includes(name)) waiting.pop();
  waiting.push({ name, data });
  if (waiting.length === 1) next(channel);
}

async function next(channel) {
  const event = channels[channel][0];
  if (channel === "save" && (channels.act.length || channels.adjust.length)) return;  // what is saved is what is seen
  if (!event || event.sent) return;
  event.sent = true;
  const { words, ...data } = event.data;
  if (WORDS[event.name]) showBusy(words || WORDS[event.name]);
  let answer = null, failure = null;
  try { answer = await session.event(event.name, data); } catch (error) { failure = error; }
  channels[channel] = channels[channel].filter((one) => one !== event);
  if (failure) fail(event.name, failure);
  else if (!apply(answer) && state.work) show();  // something newer is known: the server's picture takes the hand's place
  next(channel);
  next("save");
  if (!channels.act.length && !channels.save.length) showBusy("");
}

function fail(name, error) {
  const lost = ["gone", "elsewhere"].includes(error.code);
  if (lost) {
    for (const channel in channels) channels[channel] = [];  // they were meant for what is lost
    session.forget();
    apply(EMPTY);
  } else if (state.work && name !== "thumbnails") {
    render();  // back to what the server has
  }
  if (lost || name !== "thumbnails") say(error.message, true);
}
