// The front end of the JupyterLab plugin, as it is served: plain JavaScript, nothing is compiled.
//
// JupyterLab loads a prebuilt extension as a script that puts {init, get} into
// window._JUPYTERLAB[name]; init is given the modules that JupyterLab shares. The rest of this file
// is the viewer of raw files (kernel-less: the server decodes, see ../../handlers.py) and the
// launcher cards.
(() => {
  "use strict";

  const NAME = "twomass_nb";
  const FILE_TYPE = "twomass-raw";
  // Not every .rds.gz: the language R uses the same suffix.
  const FILE_PATTERN = "^[jhkJHK][0-9]{7}[^/]*\\.(rds|rdo)(\\.gz)?$";
  const SIZE = 256;
  // An array of four quadrants, and a star.
  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="#1f6f8b" ' +
    'stroke-width="1.6"><path d="M3.8 3.8h16.4v16.4H3.8zM12 3.8v16.4M3.8 12h16.4"/></g>' +
    '<circle cx="16.2" cy="7.8" r="2.4" fill="#ff5a1f"/></svg>';
  let shared = null;

  /** One of JupyterLab's own modules (not another extension's copy of it). */
  async function lab(name) {
    const entries = Object.values(shared[name] ?? {});
    const entry = entries.find((one) => String(one.from).includes("CORE")) ?? entries[0];
    if (!entry) throw new Error(`JupyterLab does not share ${name}`);
    return (await entry.get())();
  }

  // The server -------------------------------------------------------------------------------

  class Server {
    constructor(services, coreutils) {
      this.connection = services.ServerConnection;
      this.settings = this.connection.makeSettings();
      this.url = (route, words) =>
        coreutils.URLExt.join(this.settings.baseUrl, "twomass-nb", route) +
        coreutils.URLExt.objectToQueryString(words);
    }

    async ask(route, words, signal) {
      const answer = await this.connection.makeRequest(
        this.url(route, words),
        { signal },
        this.settings,
      );
      if (answer.ok) return answer;
      let told = {};
      try {
        told = await answer.json();
      } catch {
        // an answer without a sentence of its own
      }
      throw new Error(told.message || told.reason || `the server answers ${answer.status}`);
    }

    async scan(path) {
      return (await this.ask("scan", { path })).json();
    }

    async notebook(words) {
      return (await this.ask("notebook", words)).json();
    }

    /** Pixels of one read of one frame, row 0 (south) first. */
    async frame(path, frame, read, signal) {
      const answer = await this.ask("frame", { path, frame, read }, signal);
      const bytes = new DataView(await answer.arrayBuffer());
      const wide = answer.headers.get("X-Array-Type") === "int32";
      const pixels = wide ? new Int32Array(SIZE * SIZE) : new Uint16Array(SIZE * SIZE);
      for (let i = 0; i < pixels.length; i++)
        pixels[i] = wide ? bytes.getInt32(4 * i, true) : bytes.getUint16(2 * i, true);
      return pixels;
    }
  }

  // Numbers to colours -----------------------------------------------------------------------

  const MAPS = {
    cividis: ["00224e", "123570", "3b496c", "575d6d", "707173", "8a8678", "a59c74", "c3b369",
      "e1cc55", "fee838"],
    viridis: ["440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58",
      "b5de2b", "fde725"],
    grey: ["000000", "ffffff"],
  };
  const STRETCHES = { linear: (t) => t, sqrt: Math.sqrt, asinh: (t) => Math.asinh(10 * t) / Math.asinh(10) };
  const LEVELS = 512;

  /** Colours of a map under a stretch: LEVELS times red, green, blue. */
  function colours(map, stretch) {
    const stops = MAPS[map].map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    const table = new Uint8ClampedArray(3 * LEVELS);
    for (let level = 0; level < LEVELS; level++) {
      const place = STRETCHES[stretch](level / (LEVELS - 1)) * (stops.length - 1);
      const low = Math.min(Math.floor(place), stops.length - 2);
      for (let c = 0; c < 3; c++)
        table[3 * level + c] = stops[low][c] + (place - low) * (stops[low + 1][c] - stops[low][c]);
    }
    return table;
  }

  /** Limits that leave 0.15 % of the pixels outside at each end. */
  function limits(pixels) {
    const sorted = Float64Array.from(pixels).sort();
    const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
    const [low, high] = [at(0.0015), at(0.9985)];
    return high > low ? [low, high] : [low - 0.5, low + 0.5];
  }

  // The viewer -------------------------------------------------------------------------------

  const PLOT = { left: 46, top: 8, side: 512, bar: 14, right: 84, bottom: 38 };
  const WIDTH = PLOT.left + PLOT.side + PLOT.right;
  const HEIGHT = PLOT.top + PLOT.side + PLOT.bottom;

  function element(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  function choice(label, options, value, changed) {
    const select = element("select", { ariaLabel: label, title: label });
    for (const option of options)
      select.append(element("option", { value: option, textContent: option.replace("-", "−") }));
    select.value = value;
    select.addEventListener("change", () => changed(select.value));
    return select;
  }

  class Viewer {
    constructor(server, path, openNotebook) {
      Object.assign(this, { server, path, openNotebook });
      this.state = { frame: 0, read: "r2-r1", stretch: "asinh", map: "cividis" };
      this.kept = new Map(); // the frames seen last: "frame read" -> pixels
      this.node = element("div", { className: "twomass-nb-viewer", tabIndex: 0 });
      this.node.style.cssText =
        "overflow:auto;padding:8px 12px;background:var(--jp-layout-color0,#fff);" +
        "color:var(--jp-ui-font-color1,#222);font:13px/1.4 var(--jp-ui-font-family,sans-serif);outline:none";
      this.note = element("p", { textContent: `Opening ${path} …`, role: "status" });
      this.node.append(this.note);
    }

    async open() {
      try {
        this.scan = await this.server.scan(this.path);
      } catch (error) {
        this.say(error.message, true);
        return;
      }
      this.state.frame = Math.floor(this.scan.frames / 2);
      this.build();
      await this.show();
    }

    say(text, wrong = false) {
      this.note.textContent = text;
      this.note.setAttribute("role", wrong ? "alert" : "status");
      this.note.style.color = wrong ? "var(--jp-error-color1,#b00020)" : "";
    }

    build() {
      const { scan, state } = this;
      const band = { j: "J", h: "H", k: "Ks" }[scan.band] ?? "band not known";
      const title = `${scan.scan ?? scan.name} · ${band} · ${scan.frames} frames`;
      this.title = element("strong", { textContent: title + (scan.simulated ? " · SIMULATED" : "") });
      const set = (key) => (value) => this.change({ [key]: value });
      this.read = choice("Read", scan.reads, state.read, set("read"));
      const stretch = choice("Stretch", Object.keys(STRETCHES), state.stretch, set("stretch"));
      const map = choice("Colour map", Object.keys(MAPS), state.map, set("map"));
      this.slider = element("input", { type: "range", min: 0, max: scan.frames - 1, ariaLabel: "Frame" });
      this.slider.style.cssText = "flex:1 1 200px;min-width:120px";
      this.slider.addEventListener("input", () => this.change({ frame: Number(this.slider.value) }));
      this.number = element("span");
      this.number.style.cssText = "min-width:9em;font-variant-numeric:tabular-nums";
      const notebook = element("button", { textContent: "Open in a notebook", className: "jp-mod-styled" });
      notebook.addEventListener("click", () =>
        this.openNotebook(this.path, this.state.frame).catch((error) => this.say(error.message, true)));
      this.canvas = element("canvas");
      const screen = window.devicePixelRatio || 1;
      Object.assign(this.canvas, { width: WIDTH * screen, height: HEIGHT * screen });
      this.canvas.style.cssText = `width:${WIDTH}px;height:${HEIGHT}px;display:block`;
      this.pen = this.canvas.getContext("2d");
      this.pen.scale(screen, screen);
      this.canvas.addEventListener("mousemove", (event) => this.point(event));
      this.canvas.addEventListener("mouseleave", () => (this.readout.textContent = "\u00a0"));
      this.readout = element("div", { textContent: "\u00a0" });
      this.readout.style.cssText = "font-variant-numeric:tabular-nums;min-height:1.4em";
      this.image = new ImageData(SIZE, SIZE);
      this.small = element("canvas", { width: SIZE, height: SIZE });
      const bar = (...parts) => {
        const row = element("div", {}, ...parts);
        row.style.cssText = `display:flex;flex-wrap:wrap;gap:10px;align-items:center;max-width:${WIDTH}px;margin:4px 0`;
        return row;
      };
      this.node.replaceChildren(
        bar(this.title, notebook),
        bar(element("label", {}, "Read ", this.read), element("label", {}, "Stretch ", stretch),
          element("label", {}, "Map ", map)),
        bar(this.slider, this.number),
        this.canvas,
        this.readout,
        element("div", { textContent: `Word order: ${scan.layout}` }),
        this.note,
      );
      this.node.addEventListener("keydown", (event) => this.key(event));
      this.say(scan.warnings.join(" "));
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: 10, PageDown: -10 }[event.key];
      const read = this.scan.reads[Number(event.key) - 1];
      if (step === undefined && read === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.change(step === undefined ? { read } : { frame: this.state.frame + step });
    }

    change(what) {
      Object.assign(this.state, what);
      this.state.frame = Math.min(Math.max(this.state.frame, 0), this.scan.frames - 1);
      return this.show();
    }

    /** The pixels of what the state says, asked for once; only the newest question matters. */
    async pixels() {
      const { frame, read } = this.state;
      const key = `${frame} ${read}`;
      if (!this.kept.has(key)) {
        this.asking?.abort();
        this.asking = new AbortController();
        this.kept.set(key, await this.server.frame(this.path, frame, read, this.asking.signal));
        if (this.kept.size > 24) this.kept.delete(this.kept.keys().next().value);
      }
      return this.kept.get(key);
    }

    async show() {
      const { frame, read } = this.state;
      this.slider.value = frame;
      this.read.value = read;
      this.number.textContent = `frame ${frame} of 0–${this.scan.frames - 1}`;
      try {
        const pixels = await this.pixels();
        if (frame !== this.state.frame || read !== this.state.read) return; // turned on meanwhile
        this.shown = pixels;
        this.draw(pixels);
        this.node.dataset.shown = `${frame} ${read}`;
      } catch (error) {
        if (error.name !== "AbortError" && this.state.frame === frame) this.say(error.message, true);
      }
    }

    draw(pixels) {
      const { pen, image } = this;
      const { left, top, side } = PLOT;
      const [low, high] = limits(pixels);
      const table = colours(this.state.map, this.state.stretch);
      for (let y = 0; y < SIZE; y++)
        for (let x = 0; x < SIZE; x++) {
          const share = (pixels[y * SIZE + x] - low) / (high - low);
          const level = 3 * Math.round(Math.min(Math.max(share, 0), 1) * (LEVELS - 1));
          const at = 4 * ((SIZE - 1 - y) * SIZE + x); // row 0 is the southernmost
          for (let c = 0; c < 3; c++) image.data[at + c] = table[level + c];
          image.data[at + 3] = 255;
        }
      this.small.getContext("2d").putImageData(image, 0, 0);
      const ink = getComputedStyle(this.node).color;
      pen.clearRect(0, 0, WIDTH, HEIGHT);
      pen.imageSmoothingEnabled = false;
      pen.drawImage(this.small, left, top, side, side);
      Object.assign(pen, { fillStyle: ink, strokeStyle: ink, font: "11px sans-serif" });
      pen.strokeRect(left - 0.5, top - 0.5, side + 1, side + 1);
      pen.textAlign = "center";
      const scale = side / SIZE;
      for (const tick of [0, 64, 128, 192, 255]) {
        const at = (tick + 0.5) * scale;
        pen.fillText(tick, left + at, top + side + 14);
        pen.fillRect(left + at, top + side, 1, 4);
        pen.fillRect(left - 4, top + side - at, 4, 1);
      }
      pen.fillText("column (pixel), from the east to the west", left + side / 2, top + side + 32);
      pen.textAlign = "right";
      for (const tick of [0, 64, 128, 192, 255])
        pen.fillText(tick, left - 7, top + side - (tick + 0.5) * scale + 4);
      pen.save();
      pen.translate(11, top + side / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText("row (pixel), from the south", 0, 0);
      pen.restore();
      this.drawBar(low, high, table, left + side + 10, top, side);
    }

    drawBar(low, high, table, x, top, side) {
      const { pen } = this;
      for (let i = 0; i < side; i++) {
        const level = 3 * Math.round((i / (side - 1)) * (LEVELS - 1));
        pen.fillStyle = `rgb(${table[level]},${table[level + 1]},${table[level + 2]})`;
        pen.fillRect(x, top + side - 1 - i, PLOT.bar, 1);
      }
      pen.fillStyle = getComputedStyle(this.node).color;
      pen.textAlign = "left";
      for (const share of [0, 0.25, 0.5, 0.75, 1]) {
        const value = low + share * (high - low);
        const y = top + side - share * side + (share === 1 ? 9 : share === 0 ? 0 : 4);
        pen.fillText(Math.round(value), x + PLOT.bar + 4, y);
      }
      pen.fillText("DN", x + PLOT.bar + 4, top + side + 14);
    }

    point(event) {
      const place = this.canvas.getBoundingClientRect();
      const scale = SIZE / PLOT.side;
      const x = Math.floor((event.clientX - place.left - PLOT.left) * scale);
      const y = Math.floor((PLOT.top + PLOT.side - (event.clientY - place.top)) * scale);
      const inside = x >= 0 && x < SIZE && y >= 0 && y < SIZE && this.shown;
      this.readout.textContent = inside
        ? `x ${x}, y ${y}: ${this.shown[y * SIZE + x]} DN`
        : "\u00a0";
    }
  }

  // What JupyterLab is told ------------------------------------------------------------------

  async function plugin() {
    const [{ Widget }, registry, { ILauncher }, services, coreutils, { LabIcon }] =
      await Promise.all(
        ["@lumino/widgets", "@jupyterlab/docregistry", "@jupyterlab/launcher",
          "@jupyterlab/services", "@jupyterlab/coreutils", "@jupyterlab/ui-components"].map(lab),
      );
    const icon = new LabIcon({ name: "twomass-nb:array", svgstr: ICON });

    // A document without content: JupyterLab must not fetch the whole scan to show one frame.
    class Model extends registry.DocumentModel {
      toString() {
        return "";
      }
      fromString() {}
      toJSON() {
        return null;
      }
      fromJSON() {}
    }
    class ModelFactory {
      name = "twomass-raw-model";
      contentType = "file";
      fileFormat = null;
      isDisposed = false;
      get collaborative() {
        return false;
      }
      dispose() {
        this.isDisposed = true;
      }
      preferredLanguage() {
        return "";
      }
      createNew(options) {
        return new Model(options ?? {});
      }
    }

    function activate(app, launcher) {
      const server = new Server(services, coreutils);
      const { contents } = app.serviceManager;

      /** Save a notebook beside a file (or in a folder) under a name not taken, and open it. */
      async function openNotebook(words, folder, stem) {
        const content = await server.notebook(words);
        const taken = new Set((await contents.get(folder)).content.map((item) => item.name));
        let name = `${stem}.ipynb`;
        for (let i = 1; taken.has(name); i++) name = `${stem}-${i}.ipynb`;
        const path = coreutils.PathExt.join(folder, name);
        await contents.save(path, { type: "notebook", format: "json", content });
        return app.commands.execute("docmanager:open", { path });
      }

      /** Beside the raw file, or where that is read-only, in the server's first folder. */
      const openScan = async (path, frame) => {
        const { basename, dirname } = coreutils.PathExt;
        const stem = basename(path).split(".")[0];
        try {
          return await openNotebook({ kind: "scan", path: basename(path), frame }, dirname(path), stem);
        } catch {
          return openNotebook({ kind: "scan", path, frame }, "", stem);
        }
      };

      class Factory extends registry.ABCWidgetFactory {
        createNewWidget(context) {
          const path = contents.localPath(context.path);
          const viewer = new Viewer(server, path, openScan);
          const content = new Widget({ node: viewer.node });
          content.title.icon = icon;
          const widget = new registry.DocumentWidget({ content, context });
          content.node.addEventListener("mousedown", () => viewer.node.focus({ preventScroll: true }));
          viewer.open();
          return widget;
        }
      }

      app.docRegistry.addFileType({
        name: FILE_TYPE,
        displayName: "2MASS raw scan",
        extensions: [],
        pattern: FILE_PATTERN,
        mimeTypes: ["application/octet-stream"],
        fileFormat: "base64",
        contentType: "file",
        icon,
      });
      app.docRegistry.addModelFactory(new ModelFactory());
      app.docRegistry.addWidgetFactory(
        new Factory({
          name: "2MASS frames",
          modelName: "twomass-raw-model",
          fileTypes: [FILE_TYPE],
          defaultFor: [FILE_TYPE],
          readOnly: true,
        }),
      );

      const cards = {
        locator: ["2MASS locator", "Which scans saw a position (simulated scan table)"],
        sample: ["2MASS sample scan", "Raw frames of scan 63 (simulated)"],
      };
      for (const [kind, [label, caption]] of Object.entries(cards)) {
        const command = `twomass-nb:${kind}`;
        app.commands.addCommand(command, {
          label,
          caption,
          icon,
          execute: ({ cwd }) => openNotebook({ kind }, cwd ?? "", `twomass-${kind}`),
        });
        launcher?.add({ command, category: "2MASS" });
      }
    }

    return {
      id: `${NAME}:plugin`,
      description: "Opens raw 2MASS frames with a double click.",
      autoStart: true,
      optional: [ILauncher],
      activate,
    };
  }

  (window._JUPYTERLAB ??= {})[NAME] = {
    init(scope) {
      shared ??= scope;
    },
    async get(module) {
      if (module !== "./extension") throw new Error(`${NAME} has no module ${module}`);
      const found = await plugin();
      return () => ({ __esModule: true, default: found });
    },
  };
})();
