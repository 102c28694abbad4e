"""What a person sees and does in the browser is what Python has, to the very numbers."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import jupyter_driver as driver
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from nbconvert import HTMLExporter

import twomass_nb as tm
from twomass_nb.explore import sky

pytestmark = pytest.mark.browser

START = 79
BOKEHJS = b'"content": {"kind": "bokehjs"}'
TEXT = """(element) => {  // text of an element, also within shadow roots
  const text = (node) => node.nodeType === Node.TEXT_NODE ? node.data
    : ["STYLE", "SCRIPT"].includes(node.tagName) ? ""
    : [...(node.shadowRoot ?? node).childNodes].map(text).join(" ");
  return text(element);
}"""
STANDINS = Path(__file__).parents[1] / "explore"
CELLS = (
    f"import sys; sys.path.insert(0, {str(STANDINS)!r})",
    """
from pathlib import Path
import twomass_nb as tm
from standins import Scan
scan = Scan("k", "jk", Path.cwd()).touch_files()
""",
    f"explorer = tm.explore.frames(scan, ATLAS, target=scan.track.center({START}))\nexplorer",
    "loc = tm.ScanLocator(tm.simulate.scan_table())",
    'finder = tm.explore.locator(loc, "274.999 -16.247")\nfinder',
)


@pytest.fixture(scope="module")
def scan():
    from standins import Scan

    return Scan("k")


@pytest.fixture(scope="module")
def atlas(real_data):
    return real_data / "atlas" / "aK_asky_990502s1350080.fits.gz"


def open_explorers(browser, server, atlas, name):
    """A page with both explorers, run to the end."""
    cells = [cell.replace("ATLAS", repr(str(atlas))) for cell in CELLS]
    driver.write_notebook(server.folder / name, *cells)
    page = driver.new_page(browser)
    driver.open_notebook(page, server, name)
    driver.run_all(page)
    for model in ("frame", "sky-figure"):
        driver.wait_for_document(page, model)
    return page


@pytest.fixture(scope="module")
def page(browser, lab, atlas):
    page = open_explorers(browser, lab, atlas, "explorers.ipynb")
    yield page
    page.close()


def go_to(page, frame, steps):
    """Step until the frame is shown."""
    driver.step(page, steps)
    driver.wait_for_title(page, f"frame {frame} of")


def test_they_appear_from_one_bokehjs_and_nothing_leaves_the_machine(page):
    assert driver.outside(page) == []
    sent = [m for m in page.received if isinstance(m, bytes) and BOKEHJS in m]
    assert len(sent) == 1
    assert page.evaluate("Bokeh.documents.length") == 2
    assert page.locator(".twomass-nb-note:visible").count() == 0


def test_the_slider_shows_the_readers_numbers(page, scan):
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(START))
    go_to(page, START + 2, +2)
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(START + 2))
    go_to(page, START, -2)
    assert json.loads(driver.run_code(page, "print(explorer.state['frame'])")) == START


def test_the_reads_are_the_readers(page, scan):
    for read, expected in (("r1", scan.r1), ("r2", scan.r2), ("r2−r1", scan.difference)):
        page.get_by_role("button", name=read, exact=True).click()
        driver.wait_for_title(page, f"· {read.replace('−', ' − ')} ·")
        np.testing.assert_array_equal(driver.pixels(page, "frame"), expected(START))


def test_band_and_stretch(page, scan):
    assert page.get_by_role("button", name="H", exact=True).is_disabled()
    page.get_by_role("button", name="J", exact=True).click()
    driver.wait_for_title(page, "· J ·")
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.sibling("j").difference(START))
    page.get_by_role("button", name="Ks", exact=True).click()
    driver.wait_for_title(page, "· Ks ·")
    selects = page.locator(".twomass-nb-frames select")
    selects.nth(0).select_option("log")
    driver.run_code(page, "")
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(START))
    assert driver.run_code(page, "print(explorer.state['stretch'])").strip() == "log"
    selects.nth(0).select_option("asinh")


def test_the_readout_is_right(page, scan, atlas):
    image = tm.AtlasImage.open(atlas)
    data = {"frame": scan.difference(START), "coadd": image.data}
    wcs = {"frame": scan.wcs(START), "coadd": image.wcs}
    for figure, x, y in (("frame", 40, 200), ("frame", 20, 10), ("coadd", 100, 400)):
        screen, place = driver.point(page, figure, x, y)
        page.mouse.move(*screen)
        tip = page.locator(".bk-Tooltip:visible")
        tip.get_by_text(f"{x}, {y}", exact=True).wait_for()
        text = tip.first.evaluate(TEXT)
        ra, dec = re.search(r"(\d\d:\d\d:\d\d\.\d+)\s+([+-]\d\d:\d\d:\d\d\.\d+)", text).groups()
        shown = SkyCoord(ra, dec, unit=("hourangle", "deg"))
        assert shown.separation(wcs[figure].pixel_to_world(*place)).arcsec < 0.1
        value = float(re.search(r"([-\d.,]+) DN", text).group(1).replace(",", ""))
        assert value == pytest.approx(float(data[figure][y, x]), abs=0.006)


def test_the_pages_own_sky_is_astropys(page, scan, atlas):
    image = tm.AtlasImage.open(atlas)
    x, y = np.meshgrid([-0.5, 127.5, 255.5], [-0.5, 127.5, 255.5])
    for name, wcs in (("frame", scan.wcs(START)), ("coadd", image.wcs)):
        shown = driver.in_document(
            page,
            name,
            f"(() => {{ {sky.JS}; const t = row(model.data);"
            f"return {json.dumps(np.stack([x.ravel(), y.ravel()], -1).tolist())}"
            ".map(([x, y]) => [...toSky(t, x, y), ...toPixel(t, ...toSky(t, x, y))]) })()",
        )
        ra, dec, back_x, back_y = np.array(shown).T
        expected = wcs.pixel_to_world(x.ravel(), y.ravel())
        assert SkyCoord(ra, dec, unit="deg").separation(expected).arcsec.max() < 1e-4
        np.testing.assert_allclose([back_x, back_y], [x.ravel(), y.ravel()], atol=1e-6)


def test_the_target_and_the_outline_are_there(page, scan, atlas):
    image = tm.AtlasImage.open(atlas)
    corners = image.wcs.all_world2pix(
        scan.wcs(START).all_pix2world([[-0.5, -0.5], [255.5, 255.5]], 0), 0
    )
    shown = driver.in_document(
        page,
        "coadd-figure",
        "model.renderers.map((r) => r.data_source.data).find((d) => d.x?.length === 5)",
    )
    assert (shown["x"][0], shown["y"][0]) == pytest.approx(corners[0], abs=1e-6)
    assert (shown["x"][2], shown["y"][2]) == pytest.approx(corners[1], abs=1e-6)


def test_a_click_on_the_sky_is_a_position(page):
    before = driver.run_code(page, "print(finder.state['position'])")
    page.mouse.click(*driver.point(page, "sky", 0.2, -0.1)[0])
    driver.wait_in_document(page, "position", "Math.abs(model.data.x[0] - 0.2) < 0.01")
    code = "import json; print(json.dumps(finder.state))"
    state = json.loads(driver.run_code(page, code))
    assert str(state["position"]) != before
    ra, dec = state["position"]
    assert dec == pytest.approx(-16.247 - 0.1, abs=0.01)
    assert ra == pytest.approx(274.999 + 0.2 / np.cos(np.radians(16.35)), abs=0.01)
    loc = tm.ScanLocator(tm.simulate.scan_table())
    expected = list(loc.covering(SkyCoord(ra, dec, unit="deg"))["scan_id"])
    assert state["scans"] == expected
    rows = page.locator(".twomass-nb-table tbody tr")
    assert [text.strip() for text in rows.locator("td:first-child").all_inner_texts()] == expected


def test_a_row_is_chosen_by_mouse_and_keyboard(page):
    page.locator(".twomass-nb-locator input[type=text]").fill("274.99 -15.99")
    page.keyboard.press("Enter")
    rows = page.locator(".twomass-nb-table tbody tr")
    rows.nth(1).wait_for()  # two scans overlap there
    rows.first.click()
    page.locator('.twomass-nb-table tr[aria-selected="true"]').wait_for()
    rows.first.press("ArrowDown")
    page.locator('.twomass-nb-table tr:last-child[aria-selected="true"]').wait_for()
    name = rows.last.locator("td").first.inner_text()
    assert driver.run_code(page, "print(finder.selected)").strip() == name
    driver.wait_in_document(page, "footprints", f"model.data.name.at(-1) === {json.dumps(name)}")
    assert driver.in_document(page, "footprints", "model.data.width.at(-1)") == 3


def test_a_pan_in_the_page_reaches_python(page):
    (x, y), _ = driver.point(page, "frame", 100, 100)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    start = driver.in_document(page, "frame-figure", "model.x_range.start")
    assert start < -20
    end = time.monotonic() + 10
    code = "print(explorer.figure.frame.figure.x_range.start)"
    while float(driver.run_code(page, code)) != pytest.approx(start) and time.monotonic() < end:
        pass
    assert float(driver.run_code(page, code)) == pytest.approx(start)


def test_the_saved_notebook_is_small_and_keeps_a_picture(page, lab):
    driver.save(page)
    path = lab.folder / "explorers.ipynb"
    assert path.stat().st_size < 300_000
    outputs = [
        output
        for cell in json.loads(path.read_text())["cells"]
        for output in cell["outputs"]
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert len(outputs) == 2
    html, _ = HTMLExporter().from_filename(str(path))  # what nbviewer shows
    for output in outputs:
        assert output["data"]["image/png"][:200] in html


def test_a_reload_brings_them_back(page, scan):
    driver.save(page)
    page.received.clear()
    page.reload()
    for model in ("frame", "sky-figure"):
        driver.wait_for_document(page, model)
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(START))
    go_to(page, START + 1, +1)
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(START + 1))
    assert driver.outside(page) == []


def test_notebook_7_shows_them_too(browser, notebook7, atlas, scan):
    page = open_explorers(browser, notebook7, atlas, "explorers.ipynb")
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(START))
    go_to(page, START + 1, +1)
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(START + 1))
    assert driver.outside(page) == []
    page.close()


def test_an_error_in_the_page_is_a_sentence(browser, lab, atlas):
    cells = [cell.replace("ATLAS", repr(str(atlas))) for cell in CELLS[:3]]
    driver.write_notebook(lab.folder / "broken.ipynb", *cells)
    page = driver.new_page(browser)
    driver.open_notebook(page, lab, "broken.ipynb")
    page.evaluate("() => { window.DecompressionStream = undefined }")
    driver.run_all(page)
    note = page.locator(".twomass-nb-note.error")
    note.wait_for()
    assert "could not be drawn" in note.inner_text()
    page.close()
