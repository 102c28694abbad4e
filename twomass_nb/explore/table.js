// A table with one row chosen, by mouse or keyboard; a click on a column's head sorts by it, and the
// box above leaves the rows that hold a text. Order and box are the page's own: `chosen` is always a
// row of `rows` as they were given. See table.py.

const STYLE = `
  .twomass-nb-table { overflow: auto; max-height: 320px; color: var(--jp-ui-font-color1, #222);
    font: 12px/1.35 var(--jp-ui-font-family, sans-serif); }
  .twomass-nb-table table { border-collapse: collapse; width: 100%; }
  .twomass-nb-table th, .twomass-nb-table td { padding: 4px 5px; text-align: right;
    white-space: nowrap; border: none; font-variant-numeric: tabular-nums; }
  .twomass-nb-table th { position: sticky; top: 0; vertical-align: bottom; font-weight: 600;
    background: var(--jp-layout-color2, #eee); }
  .twomass-nb-table th small { display: block; font-weight: 400; }
  .twomass-nb-table th:first-child, .twomass-nb-table td:first-child { text-align: left; }
  .twomass-nb-table tbody tr { cursor: pointer; background: var(--jp-layout-color0, #fff); }
  .twomass-nb-table tbody tr:nth-child(even) { background: var(--jp-layout-color1, #fafafa); }
  .twomass-nb-table tbody tr:hover { background: var(--jp-layout-color2, #eee); }
  .twomass-nb-table tbody tr:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2);
    outline-offset: -2px; }
  .twomass-nb-table tbody tr[aria-selected="true"] { background: #ffe3d6; color: #222;
    box-shadow: inset 3px 0 #ff5a1f; }
  .twomass-nb-table p { margin: 8px 2px; }
  .twomass-nb-table th { cursor: pointer; user-select: none; }
  .twomass-nb-table th:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2);
    outline-offset: -2px; }
  .twomass-nb-table th[aria-sort="ascending"] > span::after { content: " ▲"; font-size: 9px; }
  .twomass-nb-table th[aria-sort="descending"] > span::after { content: " ▼"; font-size: 9px; }
  .twomass-nb-within { font: 12px var(--jp-ui-font-family, sans-serif); margin: 0 0 4px 2px;
    padding: 3px 6px; width: 180px; color: var(--jp-ui-font-color1, #222);
    background: var(--jp-layout-color0, #fff); border: 1px solid var(--jp-border-color1, #bbb); }
  .twomass-nb-within + span { font: 12px var(--jp-ui-font-family, sans-serif); margin-left: 8px;
    color: var(--jp-ui-font-color2, #555); }
`;

function cell(tag, text, tip) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (tip) made.title = tip;
  return made;
}

/** The order of rows by one column: numbers by value (the first in the text), texts as texts. */
function order(rows, column, down) {
  const keys = rows.map((row) => {
    const number = row[column].match(/^[+-]?\d+(\.\d+)?(?=$|,|–)/);
    return number ? Number(number[0]) : row[column];
  });
  const numbers = keys.every((key, i) => typeof key === "number" || rows[i][column] === "–");
  const compare = (i, j) => {
    if (!numbers) return rows[i][column].localeCompare(rows[j][column]);
    const [a, b] = [i, j].map((k) => (typeof keys[k] === "number" ? keys[k] : -Infinity));
    return a < b ? -1 : a > b ? 1 : 0;
  };
  return rows.map((_, i) => i).sort((i, j) => (down ? -1 : 1) * compare(i, j) || i - j);
}

export default {
  render({ model, el }) {
    const style = document.createElement("style");
    style.textContent = STYLE;
    const within = document.createElement("input");
    within.type = "search";
    within.className = "twomass-nb-within";
    within.placeholder = "only rows with …";
    within.setAttribute("aria-label", "List only rows with this text");
    const count = document.createElement("span");
    const box = document.createElement("div");
    box.className = "twomass-nb-table";
    el.append(style, within, count, box);
    let sorted = { label: null, down: false };

    const choose = (index) => {
      model.set("chosen", index);
      model.save_changes();
    };
    const mark = (focus) => {
      const shown = [...box.querySelectorAll("tbody tr")];
      const any = shown.some((row) => Number(row.dataset.row) === model.get("chosen"));
      shown.forEach((row, place) => {
        const on = Number(row.dataset.row) === model.get("chosen");
        row.setAttribute("aria-selected", String(on));
        row.tabIndex = on || (place === 0 && !any) ? 0 : -1;
        if (on && focus) row.focus();
      });
    };
    const head = (table) => {
      const row = table.createTHead().insertRow();
      for (const { label, unit, tip } of model.get("columns")) {
        const th = document.createElement("th");
        th.append(cell("span", label), cell("small", unit || "\u00a0"));
        th.title = `${tip}${tip ? "; " : ""}click to sort`;
        th.tabIndex = 0;
        if (label === sorted.label)
          th.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
        th.onclick = () => {
          // up, down, and as it was given
          if (sorted.label !== label) sorted = { label, down: false };
          else sorted = sorted.down ? { label: null, down: false } : { label, down: true };
          draw();
        };
        th.onkeydown = (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          th.onclick();
          [...box.querySelectorAll("th")].find((other) => other.title === th.title)?.focus();
        };
        row.append(th);
      }
    };
    const draw = () => {
      const rows = model.get("rows");
      const text = within.value.trim().toLowerCase();
      within.hidden = rows.length < 2;
      box.replaceChildren();
      count.textContent = "";
      if (rows.length === 0) {
        box.append(cell("p", model.get("empty")));
        return;
      }
      const column = model.get("columns").findIndex(({ label }) => label === sorted.label);
      const all = column < 0 ? rows.map((_, i) => i) : order(rows, column, sorted.down);
      const shown = all.filter((i) => !text || rows[i].join(" ").toLowerCase().includes(text));
      if (text) count.textContent = `${shown.length} of ${rows.length} rows`;
      const table = document.createElement("table");
      head(table);
      const body = table.createTBody();
      shown.forEach((index, place) => {
        const tr = body.insertRow();
        tr.dataset.row = index;
        tr.setAttribute("role", "row");
        for (const content of rows[index]) tr.append(cell("td", content));
        tr.onclick = () => choose(index);
        tr.onkeydown = (event) => {
          const to = { ArrowDown: place + 1, ArrowUp: place - 1, Enter: place, " ": place }[
            event.key
          ];
          if (to === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          if (to < 0 || to >= shown.length) return;
          choose(shown[to]);
          mark(true);
        };
      });
      box.append(table);
      mark(false);
    };
    within.oninput = draw;
    model.on("change:rows", draw);
    model.on("change:chosen", () => mark(false));
    draw();
  },
};
