// Who is pasted, listed as an editor lists layers: the uppermost first, the background last. The tools are for the one that
// is chosen. act: select(at), show(at, shown), reorder(at, to), remove(at); 0 is the lowest.
function makeLayers(act) {
  const section = find(".layers"), list = find("ol", section), pen = document.createElement("canvas").getContext("2d");
  const ICONS = {
    shown: "M2.500 12s3.500-6.500 9.500-6.500 9.500 6.500 9.500 6.500-3.500 6.500-9.500 6.500S2.500 12 2.500 12zM12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
    hidden: "M4 4l16 16M9.500 6c.8-.3 1.600-.5 2.500-.5 6 0 9.500 6.500 9.500 6.500s-1 1.900-2.900 3.600M6 8C3.700 9.700 2.500 12 2.500 12s3.500 6.500 9.500 6.500c1.500 0 2.800-.4 4-1",
    up: "M12 19V5M6 11l6-6 6 6", down: "M12 5v14M6 13l6 6 6-6", remove: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13",
  };
  let people = [], active = 0, key = "";
  section.open = !matchMedia("(max-width: 560px)").matches;  // a phone has no room for them beside the looks

  function button(icon, label, does, disabled = false) {
    const made = make("button", "icon");
    made.type = "button";
    made.title = label;
    made.setAttribute("aria-label", label);
    made.dataset.does = icon === "hidden" ? "shown" : icon;
    made.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="' + ICONS[icon] + '"></path></svg>';
    made.disabled = disabled;
    made.addEventListener("click", does);
    return made;
  }

  function picture(file) {
    const image = make("img");
    image.src = addressOf(file);
    image.alt = "";
    return image;
  }

  function row(person, at) {
    const entry = make("li"), choose = make("button", "layer");
    choose.type = "button";
    choose.append(picture(person.thumb), make("span", "", person.name));
    choose.setAttribute("aria-pressed", at === active);
    choose.addEventListener("click", () => { if (at !== active) act.select(at); });
    entry.classList.toggle("off", !person.shown);
    entry.dataset.at = at;
    entry.append(choose);
    if (people.length < 2) return entry;
    const { name, shown } = person;
    entry.append(
      button(shown ? "shown" : "hidden", (shown ? "Hide " : "Show ") + name, () => act.show(at, !shown)),
      button("up", "Bring " + name + " forward", () => act.reorder(at, at + 1), at === people.length - 1),
      button("down", "Send " + name + " back", () => act.reorder(at, at - 1), at === 0),
      button("remove", "Remove " + name, () => act.remove(at)),
    );
    return entry;
  }

  return {
    show(state) {
      ({ people, active } = state);
      section.hidden = !people.length;
      const now = JSON.stringify([people.map(({ outline, ...rest }) => rest), active, state.slots.background]);
      if (section.hidden || now === key) return;
      key = now;
      const held = document.activeElement?.closest?.(".layers li"), does = document.activeElement?.dataset?.does || "";
      const { file, name } = state.slots.background;
      find(".ground img", section).src = addressOf(file);
      find(".ground span", section).textContent = name;
      find(".over", section).textContent = people[active].name + " on " + name;
      list.replaceChildren(...people.map(row).reverse());
      if (held) (find(`li[data-at="${active}"] [data-does="${does}"]:not(:disabled)`, list) || find("[aria-pressed=true]", list)).focus();
    },

    // Which other person is seen at a place of the picture, or null.
    at([x, y]) {
      const { width, height } = parts.lines.viewBox.baseVal;
      for (let at = people.length - 1; at >= 0; at -= 1) {
        if (!people[at].shown || !pen.isPointInPath(new Path2D(people[at].outline), x * width, y * height, "evenodd")) continue;
        return at === active ? null : at;
      }
      return null;
    },
  };
}
