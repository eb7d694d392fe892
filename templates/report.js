// Conveniences only: the report is whole without them.
"use strict";
(() => {
  const words = document.getElementById("words").dataset;

  // Links from numbers say at once what stands in their row.
  for (const link of document.querySelectorAll('a[href^="#d-"]')) {
    const row = document.getElementById(link.hash.slice(1));
    if (row) link.title = [...row.cells].slice(1, 5).map((cell) => cell.innerText.trim()).join(" · ");
  }

  // Tables sort by their columns.
  const language = document.documentElement.lang;
  const point = (1.5).toLocaleString(language).charAt(1);
  const group = point === "," ? /\./g : /,/g;
  const number = (text) =>
    Number.parseFloat(text.replace(group, "").replace(point, ".").replace("\u2212", "-").replace(/^[<(+\s]+/, ""));
  const value = (row, place) => row.cells[place].innerText.trim();
  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (Number.isNaN(x) && Number.isNaN(y)) return a.localeCompare(b, language);
    return Number.isNaN(x) ? 1 : Number.isNaN(y) ? -1 : x - y;
  };
  const sort = (head, place) => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    const body = head.closest("table").tBodies[0];
    const rows = [...body.rows].sort((a, b) => (up ? 1 : -1) * order(value(a, place), value(b, place)));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows);
  };
  for (const table of document.querySelectorAll("main table")) {
    if (table.tBodies[0].rows.length < 3) continue;
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.title = words.sort;
      button.addEventListener("click", () => sort(head, place));
      head.replaceChildren(button);
    });
  }

  // Figures open large.
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", words.enlarged);
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = words.close;
  close.addEventListener("click", () => dialog.close());
  const large = document.createElement("img");
  dialog.append(close, large);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  for (const image of document.querySelectorAll("figure > img")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.title = words.enlarge;
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => {
      large.src = image.src;
      large.alt = image.alt;
      dialog.showModal();
    });
  }

  // Verdicts can be picked out.
  const tally = document.querySelector(".tally");
  const table = document.querySelector(".verdicts table");
  if (!tally || !table) return;
  const filter = document.createElement("fieldset");
  filter.className = "filter";
  const legend = document.createElement("legend");
  legend.textContent = words.filter;
  filter.append(legend);
  for (const entry of tally.children) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      for (const row of table.tBodies[0].rows) {
        if (row.dataset.outcome === entry.dataset.outcome) row.hidden = !box.checked;
      }
    });
    label.append(box, ...[...entry.childNodes].map((node) => node.cloneNode(true)));
    filter.append(label);
  }
  tally.replaceWith(filter);
})();
