// What a reader gains where scripts run: sorted and filtered tables, rows that open their card, a divider on pictures.
"use strict";

function value(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = parseFloat(text);
  return Number.isNaN(number) ? text.toLowerCase() : number;
}

function sortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
      const absent = (a) => a === "–" || a === "";
      rows.sort(([a], [b]) => {
        if (absent(a) || absent(b)) return absent(a) - absent(b); // below, whichever way
        const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
        return down ? -order : order;
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}

function filterable(table) {
  const bar = document.createElement("p");
  bar.className = "filter";
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Part of a name, type or year";
  search.setAttribute("aria-label", "Filter methods");
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...table.tBodies[0].rows];
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} methods`;
  });
  bar.append(search, count);
  table.closest(".wide").before(bar);
  for (const row of table.tBodies[0].rows) {
    const link = row.querySelector("th a");
    row.classList.add("linked");
    row.addEventListener("click", (event) => {
      if (!event.target.closest("a") && !String(getSelection())) link.click();
    });
  }
}

function divided(section) {
  const [before, ...others] = section.querySelectorAll("figure");
  const box = document.createElement("div");
  box.className = "divided";
  const stack = document.createElement("div");
  stack.className = "stack";
  const under = before.querySelector("img").cloneNode();
  const over = document.createElement("img");
  stack.append(under, over);
  const line = document.createElement("input");
  Object.assign(line, { type: "range", min: 0, max: 100, value: 50 });
  line.setAttribute("aria-label", "Where the composite ends and the result begins");
  line.addEventListener("input", () => stack.style.setProperty("--at", `${line.value}%`));
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", "Result beside the composite");
  others.forEach((figure) => choice.add(new Option(figure.querySelector("figcaption").textContent)));
  const show = () => {
    const image = others[choice.selectedIndex].querySelector("img");
    over.src = image.getAttribute("src");
    over.alt = image.alt;
  };
  choice.addEventListener("change", show);
  show();
  const bar = document.createElement("p");
  bar.className = "filter";
  bar.append(choice);
  box.append(bar, stack, line);
  section.querySelector(".strip").before(box);
}

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll("table.filterable").forEach(filterable);
document.querySelectorAll("section.picture").forEach(divided);
