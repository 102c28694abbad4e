// Keys of the frame explorer: while something inside it has the focus, and only then. The kernel
// does what they say. Arrow keys on a slider, and keys in a field, stay with these.
const OWN = /^(Arrow(Left|Right)|Page(Up|Down)|Home|End|Escape|[1-4jhkbcgp])$/;
const MOVES = /^(Arrow|Page|Home|End)/;
const FIELDS = "input, textarea, select, [contenteditable]";
const SLIDERS = ".noUi-handle, [role=slider]";

function render({ model, el }) {
  const help = document.createElement("span");
  help.className = "twomass-nb-keys";
  help.textContent = "keys";
  help.title = model.get("help");
  help.style.cssText = "font-size: 12px; margin: 0 10px; cursor: help; text-decoration: underline dotted;";
  el.append(help);
  const host = () => el.closest(".twomass-nb");
  const mine = (event) => {
    const { target, key } = event;
    if (!host()?.contains(target) || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (target.closest(FIELDS) || !OWN.test(key)) return false;
    return !(target.closest(SLIDERS) && MOVES.test(key));
  };
  const onKey = (event) => {
    const own = mine(event);
    // Jupyter's key handler leaves alone what is inside an element with this attribute.
    host()?.parentElement?.toggleAttribute("data-lm-suppress-shortcuts", own);
    if (!own) return;
    event.preventDefault();
    model.send({ key: event.key });
  };
  const onClick = (event) => {
    const inside = host();
    if (!inside?.contains(event.target) || event.target.closest(FIELDS)) return;
    inside.tabIndex = -1;
    inside.style.outline = "none";
    if (!inside.contains(document.activeElement)) inside.focus({ preventScroll: true });
  };
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("click", onClick, true);
  return () => {
    window.removeEventListener("keydown", onKey, true);
    window.removeEventListener("click", onClick, true);
  };
}

export default { render };
