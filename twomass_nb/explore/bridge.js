// Draws a Bokeh document that lives in the kernel, and keeps the two in step. See bridge.py for the
// messages. Every widget gets its own copy of this module, so what the page shares hangs on `window`.

const name = () => crypto.randomUUID?.() ?? String(Math.random());
const SHARED = (window.__twomass_nb ??= { page: name(), bokehjs: new Map() });
const PATIENCE = 5000; // ms without an answer before the page says so (a busy kernel is no error)

// Keys that work the focused control belong to it, not to the notebook's shortcuts: Jupyter's key
// handler leaves elements with this attribute alone. It sees keys before they reach the control.
if (!SHARED.keys) {
  SHARED.keys = (event) => {
    if (!event.target.closest?.(".twomass-nb")) return;
    const plain = !(event.ctrlKey || event.metaKey || event.altKey);
    const own = plain && /^(Arrow.*|Page.*|Home|End|Enter| )$/.test(event.key);
    event.target.toggleAttribute("data-lm-suppress-shortcuts", own);
  };
  window.addEventListener("keydown", SHARED.keys, true);
}

/** Show one plain sentence instead of (or below) the plot: never a blank cell. */
function say(place, text, kind = "") {
  place.textContent = text;
  place.className = `twomass-nb-note ${kind}`;
  place.style.cssText =
    "font: 13px/1.5 var(--jp-ui-font-family, sans-serif); padding: 6px 2px;" +
    `color: ${kind === "error" ? "var(--jp-error-color1, #b00020)" : "var(--jp-ui-font-color1, #333)"};`;
  place.hidden = text === "";
}

const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const copied = (view) => bytes(view).slice().buffer;

/** Run BokehJS as a script of the page, without displacing another BokehJS that may be there. */
async function runBokeh(gzipped) {
  const stream = new Blob([bytes(gzipped)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = new Blob([await new Response(stream).blob()], { type: "text/javascript" });
  const other = window.Bokeh;
  const url = URL.createObjectURL(code);
  try {
    window.Bokeh = undefined;
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = resolve;
      script.onerror = () => reject(new Error("the browser refused to run BokehJS"));
      script.src = url;
      document.head.append(script);
    });
    if (!window.Bokeh) throw new Error("BokehJS did not start");
    return window.Bokeh;
  } finally {
    URL.revokeObjectURL(url);
    if (other) window.Bokeh = other;
  }
}

/**
 * BokehJS of this version: already on the page, or on its way to it. The first widget asks its kernel;
 * others wait for the same script, and ask theirs too if nothing comes (another notebook's kernel may
 * be dead). A kernel sends it to a page once, however many of its widgets ask.
 */
async function bokehjs(model) {
  const version = model.get("bokeh_version");
  const present = window.Bokeh?.[version];
  if (present) return present;
  const first = !SHARED.bokehjs.has(version);
  if (first) SHARED.bokehjs.set(version, resolvers());
  const { promise, resolve } = SHARED.bokehjs.get(version);
  const listen = (message, buffers) => {
    if (message.kind === "bokehjs") resolve(runBokeh(buffers[0]));
  };
  const ask = () => model.send({ kind: "need-bokehjs", page: SHARED.page });
  model.on("msg:custom", listen);
  const later = setTimeout(ask, first ? 0 : PATIENCE);
  try {
    return await promise;
  } finally {
    clearTimeout(later);
    model.off("msg:custom", listen);
  }
}

function resolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** Resolve when `el` has a place on the page: Bokeh measures itself while it is built. */
function attached(el) {
  return new Promise((resolve) => {
    new ResizeObserver((_, observer) => {
      if (!el.isConnected) return;
      observer.disconnect();
      resolve();
    }).observe(el);
  });
}

function decode(message, buffers) {
  return {
    content: JSON.parse(message.content),
    buffers: new Map(message.ids.map((id, i) => [id, copied(buffers[i])])),
  };
}

/**
 * Apply a patch; numbers of one model that follow each other (the two ends of a range or of a colour
 * scale) are set at once, because BokehJS would map and lay out everything anew after each.
 */
function apply(doc, { content, buffers }) {
  const isNumber = (e) => e.kind === "ModelChanged" && typeof e.new === "number";
  let others = [];
  const flush = () => {
    if (others.length > 0) doc.apply_json_patch({ events: others }, buffers);
    others = [];
  };
  for (let i = 0; i < content.events.length; i++) {
    const event = content.events[i];
    const model = isNumber(event) && doc.get_model_by_id(event.model.id);
    if (!model) {
      others.push(event);
      continue;
    }
    flush();
    const changed = { [event.attr]: event.new };
    for (let next; (next = content.events[i + 1]) && isNumber(next); i++) {
      if (next.model.id !== event.model.id) break;
      changed[next.attr] = next.new;
    }
    model.setv(changed, { sync: false });
  }
  flush();
}

/** Changes made in the page, gathered for a moment, go to the kernel as one patch. */
function sender(model, view, doc) {
  let pending = [];
  const flush = () => {
    const events = pending;
    pending = [];
    const ids = [];
    const buffers = [];
    const content = JSON.stringify(doc.create_json_patch(events), (_key, value) => {
      if (!(value?.buffer instanceof ArrayBuffer)) return value;
      ids.push(`js${ids.length}`);
      buffers.push(value.buffer);
      return { id: ids.at(-1) };
    });
    model.send({ kind: "patch", view, content, ids }, undefined, buffers);
  };
  return (event) => {
    const events = (event.events ?? [event]).filter((e) => e.sync && event.sync);
    if (events.length === 0) return;
    if (pending.length === 0) setTimeout(flush, 16);
    pending.push(...events);
  };
}

async function draw(model, view, plot, note, alive) {
  const Bokeh = await bokehjs(model);
  await attached(note);
  if (!alive()) return () => {};
  let doc;
  let opened;
  const shown = new Promise((resolve, reject) => (opened = { resolve, reject }));
  const listen = (message, buffers) => {
    try {
      if (message.kind === "document" && message.view === view) {
        const received = decode(message, buffers);
        doc = Bokeh.require("document").Document.from_json(received.content, undefined, received.buffers);
        doc.on_change(sender(model, view, doc), true);
        opened.resolve();
      } else if (message.kind === "patch" && doc && message.origin !== view) {
        apply(doc, decode(message, buffers));
      } else if (message.kind === "failed") {
        say(note, `The kernel could not answer: ${message.reason}`, "error");
      }
    } catch (error) {
      opened.reject(error);
      say(note, `This picture could not be updated: ${error.message}`, "error");
      throw error;
    }
  };
  model.on("msg:custom", listen);
  model.send({ kind: "open", view });
  await shown;
  const views = await Bokeh.embed.add_document_standalone(doc, plot);
  return () => {
    model.off("msg:custom", listen);
    model.send({ kind: "close", view });
    views.clear();
    const at = Bokeh.documents.indexOf(doc);
    if (at >= 0) Bokeh.documents.splice(at, 1);
  };
}

export default {
  render({ model, el }) {
    const view = name();
    const plot = document.createElement("div");
    const note = document.createElement("div");
    el.append(plot, note);
    say(note, "Drawing…");
    let here = true;
    const late = setTimeout(
      () =>
        say(
          note,
          "Waiting for the kernel. If it is busy, the plot appears when it is done; " +
            "if it was stopped or restarted, run this cell again.",
        ),
      PATIENCE,
    );
    const drawn = draw(model, view, plot, note, () => here);
    drawn
      .then(() => say(note, ""))
      .catch((error) => {
        console.error(error);
        say(note, `This picture could not be drawn: ${error.message}`, "error");
      })
      .finally(() => clearTimeout(late));
    return () => {
      here = false;
      drawn.then((undo) => undo()).catch(() => {});
    };
  },
};
