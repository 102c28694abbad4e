"""The dither explorer in the browser: every control, and the page's numbers are the library's."""

from __future__ import annotations

import json

import jupyter_driver as driver
import numpy as np
import pytest

from twomass_nb.explore.dither_model import DitherModel

pytestmark = pytest.mark.browser

CELLS = (
    "import twomass_nb as tm",
    "explorer = tm.explore.dither(images=IMAGES)\nexplorer",
)


@pytest.fixture(scope="module")
def page(browser, lab, real_data):
    images = [str(path) for path in sorted((real_data / "atlas").glob("*001022*.fits.gz"))]
    cells = [cell.replace("IMAGES", repr(images)) for cell in CELLS]
    driver.write_notebook(lab.folder / "dither.ipynb", *cells)
    page = driver.new_page(browser)
    page.cries = []
    page.on("console", lambda line: page.cries.append(line.text) if line.type == "error" else None)
    driver.open_notebook(page, lab, "dither.ipynb")
    driver.run_all(page)
    driver.wait_for_document(page, "dither-places")
    yield page
    page.close()


def state(page):
    return json.loads(driver.run_code(page, "import json; print(json.dumps(explorer.state))"))


def button(page, name):
    # the status bar of JupyterLab has buttons of numbers, too
    page.locator(".twomass-nb-dither").get_by_role("button", name=name, exact=True).click()


def shown(page):
    """A model in the state of the kernel's, once the page shows its places."""
    model = DitherModel()
    model.restore(state(page))
    x = model.phases()[:, 1].tolist()
    driver.wait_in_document(
        page, "dither-places",
        f"model.data.x.length === {len(x)} && "
        f"{json.dumps(x)}.every((x, i) => Math.abs(model.data.x[i] - x) < 1e-9)",
    )  # fmt: skip
    return model


def test_chesters_tables_are_one_click_each(page):
    for preset, cells in (("1997-05-14", ("250.41", "1.46")), ("1997-04-18", ("251.68", "1.99"))):
        button(page, preset)
        row = page.locator(".twomass-nb-steps tr", has_text="Ks")
        for cell in cells:
            row.get_by_text(cell, exact=True).wait_for()
        assert shown(page).preset == preset


def test_every_button_and_choice(page):
    for name, key, value in (
        *((name, "preset", name) for name in ("North1", "North2", "South")),
        ("J", "band", "j"), ("H", "band", "h"), ("Ks", "band", "k"), ("7", "n", 7), ("6", "n", 6),
        ("headers", "header_sign", True), ("published", "header_sign", False),
    ):  # fmt: skip
        button(page, name)
        driver.wait_idle(page)
        assert shown(page).state()[key] == value
    title = "model.title.text.includes('{}')"
    page.locator(".twomass-nb-dither select").select_option("brightness scatter")
    driver.wait_in_document(page, "dither-map", title.format("brightness scatter"))
    model = shown(page)
    image = driver.pixels(page, "dither-quality")
    np.testing.assert_allclose(image, model.quality_map()[0], rtol=1e-5)
    page.locator(".twomass-nb-dither select").select_option("distinct places")
    driver.wait_in_document(page, "dither-map", title.format("distinct places"))


def test_every_slider_moves_its_number(page):
    names = ("step", "rotation", "camera", "scale", "fwhm")
    handles = page.locator(".twomass-nb-dither .noUi-handle")
    assert handles.count() == len(names)
    for i, name in enumerate(names):
        before = state(page)
        handles.nth(i).focus()
        handles.nth(i).press("ArrowRight")
        driver.wait_idle(page)
        key = {"rotation": "rotations", "scale": "scales"}.get(name, name)
        after = shown(page).state()
        assert after[key] != before[key], name
        assert {k for k in after if after[k] != before[k]} == {key}
    path = shown(page).path()
    driver.wait_in_document(
        page, "dither-path-points", f"Math.abs(model.data.x[0] - {path[0, 1]}) < 1e-9"
    )


def test_a_click_in_the_pixel_puts_the_star_there_one_on_the_map_takes_that_dither(page):
    button(page, "South")
    page.mouse.click(*driver.point(page, "dither-pixel", 0.2, -0.3)[0])
    driver.wait_in_document(page, "dither-places", "Math.abs(model.data.x[0] - 0.2) < 0.01")
    assert shown(page).start == pytest.approx((-0.3, 0.2), abs=0.01)
    page.mouse.click(*driver.point(page, "dither-map", 84.5, 0.5)[0])
    driver.wait_in_document(page, "dither-today", "Math.abs(model.data.x[0] - 84.5) < 0.03")
    model = shown(page)
    assert model.geometry().rotation.value == pytest.approx(0.5, abs=0.01)
    assert [model.step, model.geometry().rotation.value] == pytest.approx(
        driver.in_document(page, "dither-today", "[model.data.x[0], model.data.y[0]]")
    )


def test_real_headers_are_laid_over(page):
    rotations = driver.in_document(page, "dither-measured", "Array.from(model.data.rotation)")
    bands = driver.in_document(page, "dither-measured", "Array.from(model.data.band)")
    assert dict(zip(bands, rotations, strict=True)) == pytest.approx(
        {"J": 0.277, "H": 0.303, "Ks": -0.121}, abs=0.001
    )


def test_it_stays_small_quiet_and_on_this_machine(page, lab):
    driver.save(page)
    saved = lab.folder / "dither.ipynb"
    assert saved.stat().st_size < 300_000
    assert "image/png" in saved.read_text()
    assert [cry for cry in page.cries if "twomass" in cry.lower() or "bokeh" in cry.lower()] == []
    assert driver.outside(page) == []
