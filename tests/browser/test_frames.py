"""The frame explorer in the browser: views, plots, marks, keys; its numbers are the reader's."""

from __future__ import annotations

import json

import jupyter_driver as driver
import numpy as np
import pytest

import twomass_nb as tm

pytestmark = pytest.mark.browser

START = 20
CELLS = (
    """
import twomass_nb as tm
from astropy.nddata import CCDData

class Calibrator:
    band = "k"
    def frame(self, scan, i):
        return CCDData(scan.difference(i) - 100.0, unit="adu")

scan = tm.open_scan(PATH)
""",
    f"explorer = tm.explore.frames(scan, frame={START}, calibrator=Calibrator())\nexplorer",
    "1",
)
KINDS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .map((cell) => cell.model.type)"""
EQUAL = "model.data.{} && JSON.stringify(Array.from(model.data.{})) === '{}'"


@pytest.fixture(scope="module")
def scan(short_sample):
    return tm.open_scan(short_sample / "000529s" / "k1186063.rds.gz")


@pytest.fixture(scope="module")
def page(browser, lab, scan):
    cells = [cell.replace("PATH", repr(str(scan.path))) for cell in CELLS]
    driver.write_notebook(lab.folder / "frames.ipynb", *cells)
    page = driver.new_page(browser)
    page.cries = []
    page.on("console", lambda line: page.cries.append(line.text) if line.type == "error" else None)
    driver.open_notebook(page, lab, "frames.ipynb")
    driver.run_all(page)
    driver.wait_for_document(page, "frame")
    yield page
    page.close()


def state(page):
    return json.loads(driver.run_code(page, "import json; print(json.dumps(explorer.state))"))


def press(page, name):
    page.locator(".twomass-nb-frames").get_by_role("button", name=name, exact=True).click()


def wait_for_column(page, source, column, values):
    text = json.dumps(np.asarray(values).tolist(), separators=(",", ":"))
    driver.wait_in_document(page, source, EQUAL.format(column, column, text))


def hover(page, x, y):
    """Move the pointer onto the frame; returns the screen pixel and the place that it is."""
    screen, place = driver.point(page, "frame", x, y)
    page.mouse.move(screen[0] - 3, screen[1])
    page.mouse.move(*screen)
    return screen, place


def test_the_pointer_names_the_pixel_it_is_on_up_to_its_edge(page, scan):
    driver.run_code(page, "explorer.state = {'zoom': (95.5, 105.5, 195.5, 205.5)}")
    driver.wait_in_document(page, "frame-figure", "model.x_range.start === 95.5")
    press(page, "cuts")
    driver.wait_for_document(page, "frames-row-cut")
    data = scan.difference(START)
    for x, y in ((100, 200), (100.46, 200), (100.54, 200), (100, 199.54), (100, 199.46)):
        _, place = hover(page, x, y)
        column, row = (round(value) for value in place)
        assert (column, row) == (round(x), round(y))
        page.locator(".bk-Tooltip:visible").get_by_text(f"{column}, {row}", exact=True).wait_for()
        wait_for_column(page, "frames-row-cut", "value", data[row])
        wait_for_column(page, "frames-column-cut", "value", data[:, column])
    line = page.locator(".twomass-nb-readout")
    r1, r2 = (int(read(START)[199, 100]) for read in (scan.r1, scan.r2))
    line.get_by_text(f"r1 {r1}, r2 {r2}, r2 − r1 {r2 - r1} DN".replace("-", "−")).wait_for()
    after = (71 * 128 + 100) * 0.006
    line.get_by_text(f"{after:.3f} ms after the start of each read").wait_for()
    line.get_by_text(f"{52 + after:.3f} and {1350 + after:.3f} ms after the reset").wait_for()
    driver.run_code(page, "explorer.state = {'zoom': (-0.5, 255.5, -0.5, 255.5)}")
    driver.wait_in_document(page, "frame-figure", "model.x_range.start === -0.5")


def test_a_click_holds_a_pixel_and_its_values_in_all_frames_open(page, scan):
    screen, place = driver.point(page, "frame", 60, 90)
    page.mouse.click(*screen)
    x, y = (round(value) for value in place)
    wait_for_column(page, "frame-held", "x", [x])
    press(page, "one pixel")
    press(page, "histogram")
    for name in ("frames-through-values", "frames-histogram-counts"):
        driver.wait_for_document(page, name)
    wait_for_column(
        page, "frames-through-values", "value",
        [scan.difference(i)[y, x] for i in range(scan.n_frames)],
    )  # fmt: skip
    counts = driver.in_document(page, "frames-histogram-counts", "Array.from(model.data.count)")
    ends = driver.in_document(
        page, "frames-histogram-counts", "[model.data.left[0], model.data.right.at(-1)]"
    )
    assert counts == np.histogram(scan.difference(START), 128, ends)[0].tolist()
    value = int(scan.difference(30)[y, x])
    page.mouse.click(*driver.point(page, "frames-through", 30, value)[0])
    driver.wait_for_title(page, "frame 30 of")
    assert state(page)["frame"] == 30
    for name in ("cuts", "histogram", "one pixel"):
        press(page, name)
    driver.wait_idle(page)
    assert state(page)["plots"] == []


def test_keys_work_inside_and_leave_the_notebook_alone(page):
    kinds = page.evaluate(KINDS)
    page.mouse.click(*driver.point(page, "frame", 128, 128)[0])
    for key, words in (
        ("ArrowRight", "frame 31 of"), ("PageDown", "frame 21 of"), ("ArrowLeft", "frame 20 of"),
        ("1", "· r1"), ("2", "· r2"), ("4", "· calibrated"), ("3", "· r2 − r1"),
        ("h", "· H ·"), ("k", "· Ks ·"),
    ):  # fmt: skip
        page.keyboard.press(key)
        driver.wait_for_title(page, words)
    page.keyboard.press("Escape")
    wait_for_column(page, "frame-held", "x", [])
    page.keyboard.press("b")
    driver.wait_for_title(page, "· r1")
    driver.wait_for_title(page, "· r2")
    page.keyboard.press("b")
    assert page.evaluate(KINDS) == kinds  # b would add a cell, 1 make a heading
    page.wait_for_timeout(800)  # the last turn of the blink may be on its way
    page.keyboard.press("3")
    driver.wait_for_title(page, "· r2 − r1")


def test_all_bands_and_all_reads_with_linked_zoom(page, scan):
    press(page, "all bands")
    for band in "jhk":
        driver.wait_for_document(page, f"frame-{band}")
        expected = scan.sibling(band).difference(START)
        np.testing.assert_array_equal(driver.pixels(page, f"frame-{band}"), expected)
    press(page, "all reads")
    driver.wait_for_document(page, "frame-calibrated")
    driver.step(page, +1)
    title = f"model.title.text.includes('frame {START + 1} ')"
    driver.wait_in_document(page, "frame-calibrated-figure", title)
    expected = {
        "r1": scan.r1(START + 1), "r2": scan.r2(START + 1), "r2-r1": scan.difference(START + 1),
        "calibrated": scan.difference(START + 1) - 100.0,
    }  # fmt: skip
    for read, values in expected.items():
        np.testing.assert_array_equal(driver.pixels(page, f"frame-{read}"), values)
    same = """(() => { const other = Bokeh.documents.map((d) =>
      d.get_model_by_name('frame-r2-figure')).find(Boolean);
      return model.x_range === other.x_range && model.y_range === other.y_range; })()"""
    assert driver.in_document(page, "frame-r1-figure", same)
    driver.step(page, -1)
    press(page, "frame + coadd")
    driver.wait_for_title(page, f"frame {START} of")
    driver.wait_in_document(page, "frame-figure", "Bokeh.index.find_one(model) !== null")


def test_a_box_comes_back_in_python(page, scan):
    page.locator(".twomass-nb-frames").get_by_title("Box Select").first.click()
    (x0, y0), start = driver.point(page, "frame", 50.2, 100.2)
    (x1, y1), end = driver.point(page, "frame", 70.7, 120.7)
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=4)
    page.mouse.up()
    driver.wait_in_document(page, "frame-selection", "model.visible")
    left, bottom = np.ceil(start).astype(int)
    right, top = np.floor(end).astype(int)
    code = (
        "import json; print(json.dumps([explorer.state['selection'], len(explorer.selected), "
        "explorer.pixels()['r2-r1'].tolist()]))"
    )
    selection, rows, pixels = json.loads(driver.run_code(page, code))
    assert selection == pytest.approx([left, right, bottom, top], abs=1)
    x0, x1, y0, y1 = selection
    assert rows == (x1 - x0 + 1) * (y1 - y0 + 1)
    np.testing.assert_array_equal(pixels, scan.difference(START)[y0 : y1 + 1, x0 : x1 + 1])
    driver.run_code(page, "explorer.selection = None")


def test_marks_stretch_and_files(page, scan, lab):
    press(page, "more")
    model = tm.explore.frames(scan).model.bands_of_scan
    driver.run_code(page, f"explorer.frame = {scan.n_frames // 2}")
    for name in ("read-out", "saturated", "hot pixels", "persistence"):
        press(page, name)
    driver.wait_for_document(page, "frame-persistence")
    frame = scan.n_frames // 2
    wait_for_column(page, "frame-hot", "x", model.hot("k")[:, 0])
    wait_for_column(page, "frame-persistence", "x", model.afterglow("k", frame)[:, 0])
    flat, holes = model.full("k", frame)
    assert driver.in_document(page, "frame-saturated", "model.data.x.length") == len(flat) + len(
        holes
    )
    selects = page.locator(".twomass-nb-frames select")
    selects.nth(0).select_option("histogram")
    driver.wait_idle(page)
    selects.nth(1).select_option("zscale")
    driver.wait_idle(page)
    selects.nth(2).select_option("magma")
    driver.wait_idle(page)
    page.screenshot(path=lab.folder / "frames.png")
    now = state(page)
    assert (now["stretch"], now["limits"], now["colours"]) == ("histogram", "zscale", "magma")
    assert len(now["marks"]) == 4
    for kind in ("PNG", "FITS"):
        press(page, kind)
        written = f"k1186063_r2-r1_{frame}.{kind.lower()}"
        page.get_by_text(f"Written: {written}").wait_for()
        assert (lab.folder / written).stat().st_size > 10_000


def test_a_state_brings_it_all_back(page):
    before = state(page)
    press(page, "all bands")
    press(page, "r1")
    driver.wait_idle(page)
    code = f"import json; explorer.state = json.loads({json.dumps(json.dumps(before))})"
    driver.run_code(page, code)
    driver.wait_for_title(page, "· r2 − r1")
    assert state(page) == before


def test_it_stays_small_quiet_and_on_this_machine(page, lab):
    driver.save(page)
    saved = lab.folder / "frames.ipynb"
    assert saved.stat().st_size < 300_000
    assert "image/png" in saved.read_text()
    assert [cry for cry in page.cries if "twomass" in cry.lower() or "bokeh" in cry.lower()] == []
    assert page.locator(".twomass-nb-note.error").count() == 0
    assert driver.outside(page) == []
