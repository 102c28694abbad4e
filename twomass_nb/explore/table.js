// A small table with one row chosen, by mouse or keyboard. See table.py.

const STYLE = `
  .twomass-nb-table { overflow: auto; max-height: 420px; color: var(--jp-ui-font-color1, #222);
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
`;

function cell(tag, text, tip) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (tip) made.title = tip;
  return made;
}

export default {
  render({ model, el }) {
    const style = document.createElement("style");
    style.textContent = STYLE;
    const box = document.createElement("div");
    box.className = "twomass-nb-table";
    el.append(style, box);

    const choose = (index) => {
      model.set("chosen", index);
      model.save_changes();
    };
    const mark = (focus) => {
      [...box.querySelectorAll("tbody tr")].forEach((row, i) => {
        const on = i === model.get("chosen");
        row.setAttribute("aria-selected", String(on));
        row.tabIndex = on || (i === 0 && model.get("chosen") < 0) ? 0 : -1;
        if (on && focus) row.focus();
      });
    };
    const draw = () => {
      const rows = model.get("rows");
      box.replaceChildren();
      if (rows.length === 0) {
        box.append(cell("p", model.get("empty")));
        return;
      }
      const table = document.createElement("table");
      const head = table.createTHead().insertRow();
      for (const { label, unit, tip } of model.get("columns")) {
        const th = cell("th", label, tip);
        th.append(cell("small", unit || "\u00a0"));
        head.append(th);
      }
      const body = table.createTBody();
      rows.forEach((row, i) => {
        const tr = body.insertRow();
        tr.setAttribute("role", "row");
        for (const text of row) tr.append(cell("td", text));
        tr.onclick = () => choose(i);
        tr.onkeydown = (event) => {
          const to = { ArrowDown: i + 1, ArrowUp: i - 1, Enter: i, " ": i }[event.key];
          if (to === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          if (to < 0 || to >= rows.length) return;
          choose(to);
          mark(true);
        };
      });
      box.append(table);
      mark(false);
    };
    model.on("change:rows", draw);
    model.on("change:chosen", () => mark(false));
    draw();
  },
};
