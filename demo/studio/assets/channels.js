// What the visitor did, on its way: one event at a time per channel, in order; the answer is the page's whole state.
// Every wait has an end: an answer, the work brought back and the event done again, or a sentence and a way on.
const channels = { act: [], adjust: [], thumbnails: [], save: [] };
const WORDS = {
  open: "Reading the photo", example: "Opening", place: "Harmonizing", prompt: "Looking there", take: "Harmonizing",
  swap: "Cutting the person out", select: "Opening", show: "Harmonizing", reorder: "Harmonizing", remove: "Harmonizing", auto: "Choosing", everybody: "Looking for everybody", another: "Looking again", undo: "Undoing", redo: "Redoing", go: "Going there", edge: "Moving the edge", transfer: "Harmonizing", matched: "Looking what was matched", resume: "Opening",
  recipe: "Taking the recipe's settings", save: "Writing the full-size file",
};

const isWaiting = (channel, name) => channels[channel].some((event) => event.name === name);

// Everything that changes the work goes through "act", in order. A newer place replaces one that still waits. ``again``
// makes an event's upload anew, for a server that lost it.
function send(channel, name, data = {}, again = null) {
  if (name !== "thumbnails") hush();
  if (!["place", "thumbnails"].includes(name)) tools.flush();  // what is seen goes first
  const waiting = channels[channel], newest = waiting.at(-1);
  if (channel === "save" && waiting.some((event) => event.data.what === data.what)) return;  // a double click
  if (waiting.length > 1 && newest.name === name && ["place", "adjust", "correct", "edge", "transfer", "thumbnails"].includes(name)) waiting.pop();
  waiting.push({ name, data, again });
  if (waiting.length === 1) next(channel);
}

async function next(channel) {
  const event = channels[channel][0];
  if (channel === "save" && (channels.act.length || channels.adjust.length)) return;  // what is saved is what is seen
  if (!event || event.sent) return;
  event.sent = true;
  let answer = null, failure = null;
  try { answer = await doOnce(event); } catch (error) { failure = error; }
  channels[channel] = channels[channel].filter((one) => one !== event);
  if (failure) fail(channel, event, failure);
  else if (!apply(answer) && state.work) show();  // something newer is known: the server's picture takes the hand's place
  next(channel);
  next("save");
  if (!channels.act.length && !channels.save.length) showBusy("");
}

async function doOnce(event) {
  const { words, ...data } = event.data;
  const work = async () => {
    if (WORDS[event.name]) showBusy(words || WORDS[event.name]);
    const answer = await session.event(event.name, data);
    if (event.name === "save" && !answer.message) await bringHome(answer.file);
    return answer;
  };
  try {
    return await work();
  } catch (error) {
    if (error.code !== "gone" || !await recover()) throw error;
    if (event.again) data.upload = await event.again();
    return work();
  }
}

function fail(channel, event, error) {
  const retry = () => send(channel, event.name, event.data, event.again);
  if (error.code === "gone") {
    for (const one in channels) channels[one] = [];  // they were meant for what is lost
    session.forget();
    apply(EMPTY);
    say(error.message, true);
    return;
  }
  if (event.name === "thumbnails") return;
  if (state.work) render();  // back to what the server has
  if (error.code === "elsewhere") say(error.message, true, "Continue here", () => send("act", "resume"));
  else if (event.name === "resume") say(error.message, true, "Try again", retry);
  else say(error.message, true, ["away", "busy", "full"].includes(error.code) ? "Try again" : "", retry);
}
