"""How to drive JupyterLab or Notebook 7 in a headless Chromium, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, WebSocket

TOKEN = "twomass"  # guards nothing: the server listens on loopback for the length of a test
ROOT = Path(__file__).parents[2]
#: Kept as output of the tests, to look at; emptied by `make clean`.
SCREENSHOTS = ROOT / ".screenshots"

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# What the app's own commands and widgets know; the server is told to expose the app.
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells') }"
SAVE = "async () => { await window.jupyterapp.commands.execute('docmanager:save') }"
IDLE = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  return panel?.sessionContext?.session?.kernel?.status === 'idle';
}"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .flatMap((cell) => cell.model.type === 'code' ? cell.model.outputs.toJSON() : [])
  .filter((output) => output.output_type === 'error')
  .map((output) => `${output.ename}: ${output.evalue}`)"""
FIND = """(name) => (window.Bokeh?.documents ?? [])
  .map((document) => document.get_model_by_name(name)).find((model) => model != null)"""
RUN_CELL = """async (source) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code: source, store_history: false});
  let text = '';
  future.onIOPub = (message) => {
    if (message.header.msg_type === 'stream') text += message.content.text;
    if (message.header.msg_type === 'error') text += message.content.evalue;
  };
  const reply = await future.done;
  return {status: reply.content.status, text};
}"""


class Server:
    """A Jupyter server on a free port of loopback, with settings and files of its own."""

    def __init__(
        self, folder: Path, app: str = "lab", version: Path | None = None, base: str = "/"
    ) -> None:
        """Start it.

        `version` is a folder with another JupyterLab than the one installed; `base` the path
        below which everything is served, as JupyterHub does it.
        """
        self.folder = folder
        self.app = app
        self.base = base
        home = folder / ".home"
        settings = home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        # no question about news, no look for updates: nothing may leave the machine
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False})
        )
        # window.jupyterapp, in both apps (Notebook 7 ignores its own flag for it)
        labconfig = home / "config" / "labconfig"
        labconfig.mkdir(parents=True)
        (labconfig / "page_config.json").write_text(json.dumps({"exposeAppInBrowser": "true"}))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = os.environ | {
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "IPYTHONDIR": str(home / "ipython"),
            "TWOMASS_NB_OFFLINE": "1",
            "PYTHONPATH": os.pathsep.join(
                [*([str(version)] if version else []), str(ROOT), os.environ.get("PYTHONPATH", "")]
            ),
        }
        app_class = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}[app]
        self.log = home / "server.log"
        self._log_file = self.log.open("wb")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", {"lab": "jupyterlab", "notebook": "notebook"}[app]),
                *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
                *(f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"),
                f"--ServerApp.base_url={base}",
                f"--{app_class}.news_url=",
                f"--{app_class}.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                *([f"--app-dir={version / 'share' / 'jupyter' / 'lab'}"] if version else []),
            ],
            env=environment,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
        )

    def wait(self, timeout: float = 60) -> None:
        """Return when the server answers; say what it printed when it does not."""
        end = time.monotonic() + timeout
        url = f"{self.root}api/status?token={TOKEN}"
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=2).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        message = f"jupyter {self.app} did not start:\n{self.log.read_text()[-2000:]}"
        raise RuntimeError(message)

    def url(self, path: str) -> str:
        """Address of a notebook (relative to the server's folder) in this app."""
        # a workspace of its own, or Lab would also open what earlier pages had open
        workspace = f"lab/workspaces/{uuid.uuid4().hex}/tree"
        route = {"lab": workspace, "notebook": "notebooks"}[self.app]
        return f"{self.root}{route}/{path}?token={TOKEN}"

    @property
    def root(self) -> str:
        """Address that all others begin with."""
        return f"http://127.0.0.1:{self.port}{self.base}"

    def stop(self) -> None:
        """End the server, and with it the kernels it started."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log_file.close()


@contextmanager
def serve(
    folder: Path, app: str = "lab", version: Path | None = None, base: str = "/"
) -> Iterator[Server]:
    """A running server on `folder` for the length of a with block."""
    server = Server(folder, app, version, base)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium for the length of a with block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS
        )
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, width: int = 1280, height: int = 1400) -> Page:
    """Open a page; ``requests`` keeps the addresses it asks for, ``received`` what it is sent.

    How it looks in the end is kept in `SCREENSHOTS`, by the test that opened it.
    """
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(30_000)
    page.requests, page.received = [], []

    def opened(socket: WebSocket) -> None:
        page.requests.append(socket.url)
        socket.on("framereceived", lambda payload: page.received.append(payload))

    page.on("request", lambda request: page.requests.append(request.url))
    page.on("websocket", opened)
    close = page.close

    def look_and_close() -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        taken = sum(1 for _ in SCREENSHOTS.glob(f"{name}*.png"))
        page.screenshot(path=SCREENSHOTS / f"{name}{f'-{taken}' if taken else ''}.png")
        close()

    test = os.environ.get("PYTEST_CURRENT_TEST", "page").rpartition("/")[2]
    name = re.sub(r"\W+", "-", test.removesuffix("(setup)").removesuffix("(call)")).strip("-")
    page.close = look_and_close
    return page


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of code cells."""
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell{i}",
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for i, source in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook))
    return path


def open_notebook(page: Page, server: Server, path: str) -> None:
    """Open a notebook (path relative to the server's folder) and wait for its kernel."""
    page.goto(server.url(path))
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.evaluate("() => window.jupyterapp.restored")
    wait_idle(page)


def wait_idle(page: Page, timeout: float = 60_000) -> None:
    """Wait until the kernel of the notebook in front is idle."""
    page.wait_for_function(IDLE, timeout=timeout)


def run_all(page: Page) -> None:
    """Run all cells to the end; a cell that raised makes this raise."""
    page.evaluate(RUN_ALL)
    wait_idle(page)
    errors = page.evaluate(ERRORS)
    if errors:
        raise AssertionError("; ".join(errors))


def run_code(page: Page, source: str) -> str:
    """Run code in the notebook's kernel, outside its cells; returns what it printed."""
    reply = page.evaluate(RUN_CELL, source)
    if reply["status"] != "ok":
        raise AssertionError(reply["text"])
    return reply["text"]


def save(page: Page) -> None:
    """Save the notebook in front."""
    page.evaluate(SAVE)


def wait_for_document(page: Page, name: str) -> None:
    """Wait until a Bokeh model of this name is on the page."""
    page.wait_for_function(f"() => ({FIND})({json.dumps(name)}) !== undefined")


def in_document(page: Page, name: str, expression: str) -> Any:
    """Evaluate JavaScript with ``model``, the Bokeh model of this name on the page."""
    return page.evaluate(f"(name) => {{ const model = ({FIND})(name); return {expression} }}", name)


def wait_in_document(page: Page, name: str, condition: str) -> None:
    """Wait until a condition on ``model``, the Bokeh model of this name, holds."""
    page.wait_for_function(
        f"(name) => {{ const model = ({FIND})(name); return model && {condition} }}", arg=name
    )


def pixels(page: Page, name: str) -> Any:
    """Return the image that a data source of this name holds in the page, as an array."""
    shape, values = in_document(
        page, name, "[model.data.image[0].shape, Array.from(model.data.image[0])]"
    )
    return np.array(values, dtype=float).reshape(shape)


# The whole screen pixel nearest to a place in a figure, and the place that it shows.
PLACE = """(() => {
  const plot = Bokeh.index.find_one(model);
  const { left, top } = plot.el.getBoundingClientRect();
  const { x_scale, y_scale } = plot.frame;
  const x = Math.round(left + x_scale.compute(X0)), y = Math.round(top + y_scale.compute(Y0));
  return [x, y, x_scale.invert(x - left), y_scale.invert(y - top)];
})()"""


def point(page: Page, figure: str, x: float, y: float) -> tuple[list[int], tuple[float, float]]:
    """Return the screen pixel nearest to a place in a figure, scrolled into view, and its place.

    `figure` is "frame", "coadd" or "sky", or the name of a figure of another explorer.
    """
    widget, name = {
        "frame": ("frames", "frame-figure"),
        "coadd": ("frames", "coadd-figure"),
        "sky": ("locator", "sky-figure"),
    }.get(figure, (figure.partition("-")[0], figure))
    page.locator(f".twomass-nb-{widget}").evaluate(
        "(element) => element.scrollIntoView({block: 'center'})"
    )
    place = PLACE.replace("X0", repr(x)).replace("Y0", repr(y))
    *screen, x, y = in_document(page, name, place)
    return screen, (x, y)


def step(page: Page, frames: int) -> None:
    """Step the frame slider with its own arrow keys."""
    handle = page.locator(".twomass-nb-frames .noUi-handle").first
    handle.focus()
    for _ in range(abs(frames)):
        handle.press("ArrowRight" if frames > 0 else "ArrowLeft")


def wait_for_title(page: Page, words: str) -> None:
    """Wait until the frame's title holds these words."""
    wait_in_document(page, "frame-figure", f"model.title.text.includes({json.dumps(words)})")


def outside(page: Page) -> list[str]:
    """Addresses asked for that are not on loopback (a blob or data URL never leaves the page)."""
    inside = ("http://127.0.0.1:", "ws://127.0.0.1:", "blob:http://127.0.0.1:", "data:")
    return [url for url in page.requests if not url.startswith(inside)]
