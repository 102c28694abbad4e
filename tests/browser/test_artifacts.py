"""The artifact explorer in the browser: every page, and its numbers are the library's."""

from __future__ import annotations

import json
import shutil

import jupyter_driver as driver
import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.array.artifacts import Measured
from twomass_nb.explore.artifacts_model import ArtifactsModel
from twomass_nb.explore.artifacts_pages import PAGES

pytestmark = pytest.mark.browser

CELLS = (
    "import twomass_nb as tm\nfrom pathlib import Path\nfolder = Path('artifacts')",
    """
scan = tm.open_scan(folder / "000529s" / "k1186063.rds.gz")
darks = folder / "000602s" / "k1190090.rdo.gz"
twilights = sorted((folder / "000531s").glob("k*.rds.gz"))
explorer = tm.explore.artifacts(scan, darks, twilights)
explorer""",
)


@pytest.fixture(scope="module")
def page(browser, lab, short_sample):
    for night in ("000529s", "000531s", "000602s"):
        shutil.copytree(short_sample / night, lab.folder / "artifacts" / night)
    driver.write_notebook(lab.folder / "artifacts.ipynb", *CELLS)
    page = driver.new_page(browser)
    page.cries = []
    page.on("console", lambda line: page.cries.append(line.text) if line.type == "error" else None)
    driver.open_notebook(page, lab, "artifacts.ipynb")
    driver.run_all(page)
    driver.wait_for_document(page, "artifact-image")
    yield page
    page.close()


@pytest.fixture(scope="module")
def model(short_sample):
    return ArtifactsModel(
        tm.open_scan(short_sample / "000529s" / "k1186063.rds.gz"),
        short_sample / "000602s" / "k1190090.rdo.gz",
        sorted((short_sample / "000531s").glob("k*.rds.gz")),
    )


def button(page, name):
    page.locator(".twomass-nb-artifacts").get_by_role("button", name=name, exact=True).click()


def turn_to(page, name, title):
    button(page, name)
    driver.wait_in_document(page, "artifact-picture", f"model.title.text === {json.dumps(title)}")
    driver.wait_idle(page)


def keep_picture(page, name):
    """Keep a screenshot of each page, to be looked at."""
    driver.SCREENSHOTS.mkdir(exist_ok=True)
    path = driver.SCREENSHOTS / f"artifacts-{name.replace(' ', '-')}.png"
    page.locator(".twomass-nb-artifacts").screenshot(path=path)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_the_library_measured(page, model, name):
    model.go(name)
    expected = model.shown()
    assert not expected.missing
    turn_to(page, name, expected.picture.title)
    shown = driver.pixels(page, "artifact-image")
    np.testing.assert_allclose(shown, expected.picture.image, rtol=1e-5, atol=1e-3)
    for axes, plot in zip(("artifact-plot", "artifact-plot-2"), expected.plots, strict=False):
        assert driver.in_document(page, axes, "model.visible")
        lines = driver.in_document(
            page, f"{axes}-lines", "Array.from(model.data.ys).map((y) => Array.from(y))"
        )
        points = driver.in_document(page, f"{axes}-points", "Array.from(model.data.y)")
        drawn = list(lines) + ([points] if points else [])
        curves = [curve.y for curve in plot.curves if not curve.points]
        dots = [curve.y for curve in plot.curves if curve.points]
        curves += [np.concatenate(dots)] if dots else []
        for y, curve in zip(drawn, curves, strict=True):
            np.testing.assert_allclose(np.array(y, float), curve, rtol=1e-6, atol=1e-6)
    table = page.locator(".twomass-nb-measured").inner_text()
    for number in expected.numbers:
        assert number.what in table
        texts = number.value.texts() if isinstance(number.value, Measured) else [number.value]
        for text in texts:
            assert text in table
    why = page.locator(".twomass-nb-why").inner_text()
    assert all(sentence in why for sentence in expected.why)
    assert page.locator(".twomass-nb-artifacts").get_by_text(model.title()).count() == 1
    keep_picture(page, name)


def test_all_fits_the_window(page):
    for name in PAGES:
        button(page, name)
        driver.wait_idle(page)
        widths = page.locator(".twomass-nb-artifacts").evaluate(
            "(element) => [element.scrollWidth, element.clientWidth]"
        )
        assert widths[0] <= widths[1] + 1, name


def test_what_is_missing_is_said_and_the_state_comes_back(page):
    driver.run_code(page, "before = explorer.state; explorer.model.twilights.clear()")
    driver.run_code(page, "explorer.model._made.clear(); explorer.page.value = 'linearity'")
    page.get_by_role("alert").get_by_text("There are no twilights").wait_for()
    assert not page.locator(".twomass-nb-artifacts .twomass-nb-measured").count()
    keep_picture(page, "missing")
    driver.run_code(page, "explorer.state = before")
    said = driver.run_code(page, "print(explorer.page.value == before['page'])")
    assert said.strip() == "True"


def test_it_stays_small_quiet_and_on_this_machine(page, lab):
    driver.save(page)
    saved = lab.folder / "artifacts.ipynb"
    assert saved.stat().st_size < 300_000
    assert "image/png" in saved.read_text()
    assert [cry for cry in page.cries if "twomass" in cry.lower() or "bokeh" in cry.lower()] == []
    assert driver.outside(page) == []
