// A file on its way home: told(share) hears how far it is; where it stopped is said. It begins again by itself.
async function fetched({ address, name }, told) {
  let share = 0;
  async function once() {
    const stop = new AbortController();
    let timer = setTimeout(() => stop.abort(), 30000);  // without a byte
    try {
      const answer = await fetch(addressOf(address), { cache: "no-store", signal: stop.signal });
      if (!answer.ok) readAnswer(answer.status, await answer.text(), answer.headers.get("Retry-After"));
      const whole = Number(answer.headers.get("Content-Length")), chunks = [], reader = answer.body.getReader();
      let size = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), 30000);
        chunks.push(value);
        size += value.length;
        share = whole ? size / whole : 0;
        told(share);
      }
      if (whole && size !== whole) throw new TypeError("cut off");
      return new Blob(chunks, { type: "application/octet-stream" });
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal("away", "The download of " + name + " stopped at " + Math.round(100 * share) + " %: the server does not answer.");
    } finally {
      clearTimeout(timer);
    }
  }
  return insist(once, held);
}

function keepFile(blob, name) {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  say("Saved " + name + ".");
}

async function bringHome(file) {
  keepFile(await fetched(file, (share) => showBusy("Downloading " + Math.round(100 * share) + " %")), file.name);
}
