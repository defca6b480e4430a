// Where the way through the study ends or waits: thanks, a pause, a refusal of the server, the way back to a panel.
function ended() {
  leave(null);
  if (view.outcome === "failed_checks") return end("The session has ended", "Some answers to the checks were not as asked, so we cannot use this session. Thank you for your time.", view.completion);
  end("Thank you!", `All ${view.total} answers are saved.`, view.completion, { again: true });
}
function halted(state) {
  held = true;
  leave(null);
  if (state === "closed") {
    const underWay = `It was closed before you were done. What you answered until then is saved (${view?.done} of ${view?.total}). If you were promised something for taking part, tell whoever invited you.`;
    return end("The study is closed", view?.done ? underWay : "Thank you for your interest.", null);
  }
  end("The study is paused", "What you answered is safe. This page looks again by itself.", null);
  clearTimeout(lookAgain);
  lookAgain = setTimeout(start, 15000);
}
function end(heading, reason, code, { again = false, retry = false } = {}) {
  banner("");
  find('[data-stage="end"] h2').textContent = heading;
  find(".reason").textContent = reason;
  find(".code").hidden = !code;
  find(".code output").textContent = code || "";
  const address = code && study?.redirect?.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(name === "code" ? code : params.get(name) ?? ""));
  find('[data-do="redirect"]').hidden = !address;
  if (address) find('[data-do="redirect"]').href = address;
  mturkForm(code);
  find('[data-stage="end"] [data-do="undo"]').hidden = !(again && view?.can_undo);
  find('[data-do="retry"]').hidden = !retry;
  find('[data-do="next-person"]').hidden = !(again && panel === "link");
  stage("end");
}
// Mechanical Turk is told by a form of its own; nowhere else is posted to.
function mturkForm(code) {
  const form = find('[data-stage="end"] form');
  let host = "";
  try { host = new URL(params.get("turkSubmitTo")).hostname; } catch { /* none */ }
  const known = /(^|\.)mturk\.com$/.test(host) && params.get("turkSubmitTo").startsWith("https:");
  form.hidden = !(known && view?.outcome);
  if (form.hidden) return;
  form.action = `${new URL(params.get("turkSubmitTo")).origin}/mturk/externalSubmit`;
  form.assignmentId.value = params.get("assignmentId") || "";
  form.code.value = code || view.outcome;
}
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
function refused(error, again) {
  if (!(error instanceof Refusal)) throw error;
  if (error.code === "paused" || error.code === "closed") return halted(error.code);
  if (error.code === "full") return end("The study is full", "All places are taken. Thank you for your interest.", study.codes.screened_out);
  if (error.code === "screen") return stage("screen");
  if (error.code === "session") return end("You have been here before", sentence(error.message), null);
  if (error.code === "crowded") {
    end("Too many sessions from one place", sentence(error.message), null, { retry: true });
    find('[data-do="retry"]').onclick = again;
    return;
  }
  if (error.code === "token") {
    memory.set("token", null);
    view = null;
    leave("wait");
    begin();
    return banner("Your earlier session cannot be continued here, so this is a new one.");
  }
  leave(null);
  end("Something is in the way", `We could not go on: ${error.message}.${error.passing ? " This page tries again by itself." : ""}`, null, { retry: true });
  find('[data-do="retry"]').onclick = again;
  clearTimeout(lookAgain);
  if (error.passing) lookAgain = setTimeout(again, 5000);
}
