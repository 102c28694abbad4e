"""From a click on the sky to the frames that saw it, as a person does it in the browser."""

from __future__ import annotations

import json

import jupyter_driver as driver
import pytest
from astropy.coordinates import SkyCoord

import twomass_nb as tm

pytestmark = pytest.mark.browser

CELLS = (
    """
import json
import twomass_nb as tm
from astropy.table import vstack
scans = [tm.read_scan_table(FOLDER + "/scan_table.csv"), tm.simulate.scan_table()]
loc = tm.ScanLocator(vstack(scans, metadata_conflicts="silent"))
first = tm.open_scan(FOLDER + "/000529s/j1186063.rds.gz")
start = first.wcs(20).pixel_to_world(100.0, 140.0)
""",
    "finder = tm.explore.locator(loc, start, archive=FOLDER)\nfinder",
)


@pytest.fixture(scope="module")
def page(browser, lab, short_sample):
    cells = [cell.replace("FOLDER", repr(str(short_sample))) for cell in CELLS]
    driver.write_notebook(lab.folder / "sky.ipynb", *cells)
    page = driver.new_page(browser, height=1800)
    driver.open_notebook(page, lab, "sky.ipynb")
    driver.run_all(page)
    driver.wait_for_document(page, "sky-figure")
    yield page
    page.close()


def python(page, expression):
    """What an expression is in the kernel."""
    return json.loads(driver.run_code(page, f"print(json.dumps({expression}))"))


def listed(page):
    """The scans that the page lists."""
    cells = page.locator(".twomass-nb-locator .twomass-nb-table tbody td:first-child")
    return [text.strip() for text in cells.all_inner_texts()]


def click(page, figure, x, y):
    """Click a place of a figure; return when Python has answered."""
    before = python(page, "finder.state['position']")
    page.mouse.click(*driver.point(page, figure, x, y)[0])
    for _ in range(100):
        if python(page, "finder.state['position']") != before:
            return
    pytest.fail("the click reached nobody")


def test_a_click_lists_scans_and_one_opens_its_frames(page, short_sample):
    click(page, "sky", 0.02, -0.03)  # degrees east and north: still in the sample's scan
    position = SkyCoord(*python(page, "finder.state['position']"), unit="deg")
    names = python(page, "[str(name) for name in loc.covering(finder.position)['scan_id']]")
    page.locator(".twomass-nb-table td", has_text="000529s063").wait_for()
    assert listed(page) == names

    assert page.get_by_role("button", name="Show frames").is_disabled()
    page.locator(".twomass-nb-table td", has_text="000529s063").click()
    page.locator(".twomass-nb-locator button:enabled", has_text="Show frames").click()
    driver.wait_for_document(page, "frame-figure")
    best = python(page, "int(finder.selected_row['best_frame'])")
    driver.wait_for_title(page, f"frame {best} of")
    predicted = python(page, "[float(finder.selected_row[name]) for name in 'xy']")
    marks = driver.in_document(
        page,
        "frame-figure",
        "model.renderers.map((r) => r.data_source.data)"
        ".filter((d) => d.x?.length === 1 && !d.image)",
    )
    assert any((m["x"][0], m["y"][0]) == pytest.approx(predicted, abs=0.01) for m in marks)
    raw = tm.open_scan(short_sample / "000529s" / "j1186063.rds.gz")
    x, y = raw.wcs(best).world_to_pixel(position)
    assert predicted == pytest.approx((float(x), float(y)), abs=0.01)
    assert driver.outside(page) == []
