"""Example notebooks run to their end in a real JupyterLab, offline, and are alive there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jupyter_driver as driver
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

import twomass_nb as tm

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parents[2] / "examples"
FIRST = FOLDER / "01_from_a_position_to_raw_frames.ipynb"


def run(browser, lab, path):
    """Open a copy of a notebook and run all its cells, none of which may fail."""
    shutil.copy(path, lab.folder / path.name)
    page = driver.new_page(browser)
    page.set_default_timeout(180_000)  # the first may have to make the sample
    driver.open_notebook(page, lab, path.name)
    driver.run_all(page)
    assert page.locator(".twomass-nb-note.error").count() == 0
    assert driver.outside(page) == []
    return page


def test_the_first_example_is_alive(browser, lab):
    page = run(browser, lab, FIRST)
    scan = tm.open_scan(driver.run_code(page, "print(scan.path)").strip())
    start = int(driver.run_code(page, "print(view.state['frame'])"))

    # a position by a click: the table and Python follow
    page.locator(".twomass-nb-locator").scroll_into_view_if_needed()
    driver.wait_for_document(page, "sky-figure")
    before = driver.run_code(page, "print(sky.state['position'])")
    page.mouse.click(*driver.point(page, "sky", -0.25, 0.15)[0])
    driver.wait_in_document(page, "position", "Math.abs(model.data.x[0] + 0.25) < 0.01")
    state = json.loads(driver.run_code(page, "import json; print(json.dumps(sky.state))"))
    assert str(tuple(state["position"])) != before.strip()
    assert state["scans"] == json.loads(
        driver.run_code(
            page, "print(json.dumps([str(s) for s in loc.covering(sky.position)['scan_id']]))"
        )
    )
    target = SkyCoord(driver.run_code(page, "print(target.to_string('hmsdms'))").strip())
    assert target.separation(SkyCoord(*state["position"], unit="deg")).deg > 0.2

    # frames and reads: the page holds the reader's numbers
    page.locator(".twomass-nb-frames").scroll_into_view_if_needed()
    driver.wait_for_document(page, "frame")
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(start))
    driver.step(page, +2)
    driver.wait_for_title(page, f"frame {start + 2} of")
    np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(start + 2))
    for read, name, expected in (
        ("r1", "r1", scan.r1(start + 2)),
        ("r2−r1", "r2 − r1", scan.difference(start + 2)),
    ):
        page.get_by_role("button", name=read, exact=True).click()
        driver.wait_for_title(page, f"· {name} ·")
        np.testing.assert_array_equal(driver.pixels(page, "frame"), expected)
    assert driver.in_document(page, "coadd-figure", "model.visible")
    assert driver.outside(page) == []
    page.close()
