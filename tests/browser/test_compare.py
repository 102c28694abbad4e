"""The compare explorer in the browser: every control, and the page's pixels are the library's."""

from __future__ import annotations

import json
import shutil

import jupyter_driver as driver
import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.explore.compare_model import CompareModel

pytestmark = pytest.mark.browser

CELLS = (
    "import twomass_nb as tm\nfrom pathlib import Path\nnight = Path('compare/000529s')",
    """
scan = tm.open_scan(night / "j1186063.rds.gz")
coadd = sorted((night / "s063" / "image").glob("j*.fits.gz"))[1]
explorer = tm.explore.compare(scan, coadd)
explorer""",
)

PLAY = ".twomass-nb-compare .jupyter-widgets-play, .twomass-nb-compare .widget-play"


@pytest.fixture(scope="module")
def page(browser, lab, short_sample):
    shutil.copytree(short_sample / "000529s", lab.folder / "compare" / "000529s")
    driver.write_notebook(lab.folder / "compare.ipynb", *CELLS)
    page = driver.new_page(browser)
    page.cries = []
    page.on("console", lambda line: page.cries.append(line.text) if line.type == "error" else None)
    driver.open_notebook(page, lab, "compare.ipynb")
    driver.run_all(page)
    driver.wait_for_document(page, "compare-raw")
    yield page
    page.close()


@pytest.fixture
def model(short_sample):
    night = short_sample / "000529s"
    coadd = sorted((night / "s063" / "image").glob("j*.fits.gz"))[1]
    return CompareModel(tm.open_scan(night / "j1186063.rds.gz"), coadd)


def state(page):
    driver.wait_idle(page)
    return json.loads(driver.run_code(page, "import json; print(json.dumps(explorer.state))"))


def assert_shown(page, model, words):
    """The page shows what a model in the kernel's state says."""
    driver.wait_in_document(
        page, "compare-sky-figure", f"model.title.text.includes({json.dumps(words)})"
    )
    model.restore(state(page))
    np.testing.assert_allclose(driver.pixels(page, "compare-raw"), model.raw(), rtol=1e-6)
    # half a million pixels: each 97th of them
    some = "Array.from(model.data.image[0].filter((_, i) => i % 97 === 0))"
    shown = np.array(driver.in_document(page, "compare-sky", some), float)
    np.testing.assert_allclose(shown, model.picture().ravel()[::97], rtol=1e-6)


def button(page, name):
    page.locator(".twomass-nb-compare").get_by_role("button", name=name, exact=True).click()


def test_coadd_and_frame_in_turn(page, model):
    assert_shown(page, model, "coadd 21")
    button(page, "raw frame")
    assert_shown(page, model, "raw frame 20")
    handle = page.locator(".twomass-nb-compare .noUi-handle").first
    handle.focus()
    handle.press("ArrowRight")
    assert_shown(page, model, "raw frame 21")
    page.get_by_role("button", name="moving only").click()
    driver.wait_idle(page)
    assert state(page)["cleaned"]
    assert_shown(page, model, "raw frame 21")
    page.get_by_role("button", name="moving only").click()
    button(page, "coadd")
    assert_shown(page, model, "coadd 21")


def test_it_blinks(page):
    play = page.locator(PLAY)
    play.locator("button").first.click()
    for words in ("raw frame 21", "coadd 21", "raw frame 21"):
        driver.wait_in_document(
            page, "compare-sky-figure", f"model.title.text.includes({json.dumps(words)})"
        )
    play.locator("button").first.click()
    button(page, "coadd")


def test_stretch_limits_and_map(page, model):
    for i, (key, value) in enumerate((("stretch", "log"), ("limits", "95 %"), ("colours", "grey"))):
        page.locator(".twomass-nb-compare select").nth(i).select_option(value)
        assert state(page)[key] == value
    model.restore(state(page))
    low, high = model.range_of(model.coadd())
    ends = driver.in_document(
        page, "compare-sky-figure",
        "model.renderers.map((r) => r.glyph.color_mapper).filter((m) => m)"
        ".map((m) => [m.low, m.high])[0]",
    )  # fmt: skip
    assert ends == pytest.approx([low, high])


def test_the_pointer_is_marked_on_the_other_picture(page, model):
    model.restore(state(page))
    screen, place = driver.point(page, "compare-raw-figure", 128, 128)
    page.mouse.move(*screen)
    sky = model.wcs().pixel_to_world(*place)
    x, y = model.image.wcs.world_to_pixel(sky)
    near = f"Math.hypot(model.data.x[0] - {float(x)}, model.data.y[0] - {float(y)}) < 1"
    driver.wait_in_document(page, "compare-sky-pointer", near)


def test_the_parity_button(page):
    page.get_by_role("button", name="Is east left?").click()
    page.locator(".twomass-nb-compare").get_by_text("East is left").wait_for()
    numbers = page.locator(".twomass-nb-numbers").inner_text()
    for words in ("plate scale", "1.9966″", "noise a pixel, DN", "exposure on a place"):
        assert words in numbers


def test_it_stays_small_quiet_and_on_this_machine(page, lab):
    driver.save(page)
    saved = lab.folder / "compare.ipynb"
    assert saved.stat().st_size < 300_000
    assert "image/png" in saved.read_text()
    assert [cry for cry in page.cries if "twomass" in cry.lower() or "bokeh" in cry.lower()] == []
    assert driver.outside(page) == []


OURS = """
real = tm.AtlasImage.open(coadd)
data = real.data + 2.0
data[500:504, 250:254] += 40.0
explorer.close()
explorer = tm.explore.compare(scan, real, coadd=tm.AtlasImage(data, real.header))
explorer"""


@pytest.fixture
def with_ours(page, lab, browser, short_sample):
    """The notebook of a comparison with a coadd of ours, in a page of its own."""
    driver.write_notebook(lab.folder / "ours.ipynb", *CELLS, OURS)
    page = driver.new_page(browser)
    driver.open_notebook(page, lab, "ours.ipynb")
    driver.run_all(page)
    driver.wait_idle(page)
    driver.wait_for_document(page, "compare-raw")
    yield page
    page.close()


def _palette(page):
    mapper = "model.renderers.map((r) => r.glyph.color_mapper).filter((m) => m)[0]"
    return driver.in_document(
        page, "compare-sky-figure",
        f"[{mapper}.low, {mapper}.high, {mapper}.palette[0], {mapper}.palette.at(-1), "
        "model.below.map((b) => b.title).filter((t) => t)[0]]",
    )  # fmt: skip


def test_ours_and_the_difference(with_ours, short_sample):
    page = with_ours
    night = short_sample / "000529s"
    real = tm.AtlasImage.open(sorted((night / "s063" / "image").glob("j*.fits.gz"))[1])
    data = real.data + 2.0
    data[500:504, 250:254] += 40.0
    model = CompareModel(
        tm.open_scan(night / "j1186063.rds.gz"), real, coadd=tm.AtlasImage(data, real.header)
    )
    assert_shown(page, model, "coadd 21")
    button(page, "our coadd")
    assert_shown(page, model, "our coadd")
    assert _palette(page)[4] == "DN"
    button(page, "difference")
    assert_shown(page, model, "SKYSIG · SIMULATED")
    low, high, first, last, unit = _palette(page)
    assert low == -high
    assert (first, last, unit) == ("#053061", "#67001f", "SKYSIG")
    assert page.locator(".twomass-nb-compare select:disabled").count() == 2
    numbers = page.locator(".twomass-nb-numbers").inner_text()
    assert "our coadd" in numbers
    assert "SKYSIG" in numbers
    page.locator(
        ".twomass-nb-compare .jupyter-widgets-play, .twomass-nb-compare .widget-play"
    ).locator("button").first.click()
    for words in ("our coadd · frames", "coadd 21 · frames", "our coadd · frames"):
        driver.wait_in_document(
            page, "compare-sky-figure", f"model.title.text.startsWith({json.dumps(words)})"
        )
    assert driver.outside(page) == []
