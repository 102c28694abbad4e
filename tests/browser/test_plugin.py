"""The JupyterLab plugin in a browser: a raw file opens, frame by frame, in every JupyterLab 4."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import jupyter_driver as driver
import numpy as np
import pytest

import twomass_nb as tm

pytestmark = pytest.mark.browser

#: A folder that holds the oldest JupyterLab 4, made by `make .oldest-lab`.
OLDEST = Path(os.environ.get("TWOMASS_NB_OLDEST_LAB", Path(__file__).parents[2] / ".oldest-lab"))
RAW = "night/j1186063.rds.gz"
VIEWER = ".twomass-nb-viewer"
OPEN = "async (path) => { await window.jupyterapp.commands.execute('docmanager:open', {path}) }"
DEFAULT = "(path) => window.jupyterapp.docRegistry.defaultWidgetFactory(path).name"
# Screen pixels of the picture at array pixels (x, y), as drawn.
DRAWN = """([x, y]) => {
  const canvas = document.querySelector(".twomass-nb-viewer canvas");
  const screen = window.devicePixelRatio, side = 512 / 256;
  const at = [46 + (x + 0.5) * side, 8 + 512 - (y + 0.5) * side].map((v) => Math.round(v * screen));
  return Array.from(canvas.getContext("2d").getImageData(...at, 1, 1).data).slice(0, 3);
}"""


def start(browser, server):
    """A page with the app, and the words its console cried."""
    page = driver.new_page(browser, height=900)
    page.cries = []
    page.on("pageerror", lambda error: page.cries.append(str(error)))
    page.on("console", lambda line: page.cries.append(line.text) if line.type == "error" else None)
    page.goto(f"http://127.0.0.1:{server.port}/lab?reset&token={driver.TOKEN}")
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.evaluate("() => window.jupyterapp.restored")
    return page


def put_night(server, sample):
    shutil.copytree(sample / "000529s", server.folder / "night", dirs_exist_ok=True)


def shown(page, frame, read="r2-r1"):
    page.wait_for_selector(f"{VIEWER}[data-shown='{frame} {read}']")


@pytest.fixture(scope="module", params=["newest", "oldest"])
def lab4(request, browser, tmp_path_factory, short_sample):
    version = None
    if request.param == "oldest":
        version = OLDEST
        if not (version / "jupyterlab").is_dir():
            pytest.skip(f"no {version}: make .oldest-lab")
    folder = tmp_path_factory.mktemp(f"lab-{request.param}")
    with driver.serve(folder, version=version) as server:
        put_night(server, short_sample)
        yield server


@pytest.fixture(scope="module")
def page(browser, lab4):
    page = start(browser, lab4)
    # as a person does: folder, then file, each with a double click
    page.locator(".jp-DirListing-item", has_text="night").dblclick()
    page.locator(".jp-DirListing-item", has_text="j1186063.rds.gz").dblclick()
    shown(page, 20)
    yield page
    page.close()


@pytest.fixture(scope="module")
def scan(short_sample):
    return tm.open_scan(short_sample / "000529s" / "j1186063.rds.gz")


def test_a_double_click_opens_the_viewer_and_fetches_a_frame_not_the_file(page):
    text = page.locator(VIEWER).inner_text()
    assert "000529s063 · J · 40 frames · SIMULATED" in text
    asked = [url for url in page.requests if "j1186063.rds.gz" in url]
    assert not [url for url in asked if "content=1" in url]
    assert not [url for url in asked if "/files/" in url]
    assert [url for url in asked if "/twomass-nb/frame" in url]
    assert driver.outside(page) == []


def test_the_pointer_reads_the_readers_numbers(page, scan):
    box = page.locator(f"{VIEWER} canvas").bounding_box()
    for x, y in ((0, 0), (255, 255), (100, 37)):
        page.mouse.move(box["x"] + 46 + 2 * x + 1, box["y"] + 8 + 512 - 2 * y - 1)
        page.get_by_text(f"x {x}, y {y}: {scan.difference(20)[y, x]} DN").wait_for()


def test_reads_frames_and_keys(page, scan):
    page.locator(VIEWER).focus()
    for key, frame, read in (
        ("ArrowRight", 21, "r2-r1"), ("1", 21, "r1"), ("PageUp", 31, "r1"), ("PageUp", 39, "r1"),
        ("ArrowRight", 39, "r1"), ("2", 39, "r2"), ("ArrowLeft", 38, "r2"),
    ):  # fmt: skip
        page.keyboard.press(key)
        shown(page, frame, read)
    page.get_by_label("Read").select_option("r2-r1")
    shown(page, 38)
    page.get_by_label("Frame", exact=True).fill("5")
    shown(page, 5)


def test_the_picture_has_south_below_and_the_brightest_brightest(page, scan):
    page.get_by_label("Colour map").select_option("grey")
    page.get_by_label("Stretch").select_option("linear")
    pixels = scan.difference(5)
    low, high = np.percentile(pixels, [0.15, 99.85])
    for x, y in ((40, 0), (40, 60), (200, 128), (10, 250), (6, 205)):
        share = np.clip((pixels[y, x] - low) / (high - low), 0, 1)
        drawn = page.evaluate(DRAWN, [x, y])
        assert len(set(drawn)) == 1
        assert drawn[0] == pytest.approx(255 * share, abs=3)


def test_it_opens_a_notebook_on_the_frame_shown(page, scan, lab4):
    page.get_by_text("Open in a notebook").click()
    page.wait_for_selector(".jp-NotebookPanel")
    driver.wait_idle(page)
    driver.run_all(page)
    driver.wait_for_document(page, "frame")
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(5))
    assert (lab4.folder / "night" / "j1186063.ipynb").is_file()


def test_the_console_has_nothing_to_cry_about(page):
    assert [cry for cry in page.cries if "twomass" in cry.lower()] == []


def test_launcher_cards(page, lab4):
    page.evaluate("async () => { await window.jupyterapp.commands.execute('launcher:create') }")
    for card in ("2MASS locator", "2MASS sample scan"):
        card = page.locator(".jp-LauncherCard:visible", has_text=card)
        card.locator("svg").wait_for()
    page.locator(".jp-LauncherCard:visible", has_text="2MASS locator").click()
    page.wait_for_selector(".jp-NotebookPanel:visible")
    notebook = lab4.folder / "night" / "twomass-locator.ipynb"
    assert "explore.locator" in notebook.read_text()


def test_only_raw_files_are_ours(page):
    for path in ("j1186063.rds.gz", "k0001001.rdo", "h1186063.rdo.gz", "H1186063.RDS"):
        ours = page.evaluate(DEFAULT, path) == "2MASS frames"
        assert ours == (path != "H1186063.RDS"), path
    for path in ("s001.rds.gz", "model.rds", "j1186063.par", "j118606.rds", "notes.txt"):
        assert page.evaluate(DEFAULT, path) != "2MASS frames", path


def test_it_is_there_in_notebook_7(browser, notebook7, short_sample):
    put_night(notebook7, short_sample)
    page = driver.new_page(browser, height=900)
    factory = "2MASS%20frames"
    page.goto(
        f"http://127.0.0.1:{notebook7.port}/edit/{RAW}?factory={factory}&token={driver.TOKEN}"
    )
    shown(page, 20)
    page.close()


def test_a_file_that_cannot_be_opened_says_why(browser, lab4, page):
    (lab4.folder / "night" / "k0001001.rds.gz").write_bytes(b"X\n\0\0\0 from R, with a lying name")
    page.evaluate(OPEN, "night/k0001001.rds.gz")
    page.get_by_role("alert").filter(has_text="k0001001.rds.gz").wait_for()


def test_the_address_of_the_script_changes_with_it():
    """Browsers keep a script by its address."""
    import hashlib

    folder = Path(tm.__file__).parent / "plugin" / "frontend"
    build = json.loads((folder / "package.json").read_text())["jupyterlab"]["_build"]
    name, _, mark = build["load"].partition("?v=")
    content = (folder / name).read_bytes()
    assert mark == hashlib.sha256(content).hexdigest()[:12], "put this hash into package.json"
