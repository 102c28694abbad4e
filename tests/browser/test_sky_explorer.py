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


def wait_in_python(page, condition):
    """Wait until a condition holds in the kernel."""
    for _ in range(100):
        if python(page, f"bool({condition})"):
            return
    pytest.fail(f"never so: {condition}")


def listed(page):
    """The scans that the page lists."""
    cells = page.locator(".twomass-nb-locator .twomass-nb-table tbody td:first-child")
    return [text.strip() for text in cells.all_inner_texts()]


def click(page, figure, x, y):
    """Click a place of a figure; return when Python has answered."""
    before = python(page, "finder.state['position']")
    page.mouse.click(*driver.point(page, figure, x, y)[0])
    wait_in_python(page, f"list(finder.state['position']) != {before}")


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


def point(page, figure, x, y):
    """Return the screen pixel of a place in a figure of the explorer."""
    place = driver.PLACE.replace("X0", repr(x)).replace("Y0", repr(y))
    return driver.in_document(page, f"{figure}-figure", place)[:2]


def wait_for_rows(page, rows):
    """Wait until the page lists these scans."""
    page.wait_for_function(
        """(rows) => {
          const cells = document.querySelectorAll(
            '.twomass-nb-locator .twomass-nb-table tbody tr');
          return JSON.stringify([...cells].map((tr) =>
            [...tr.cells].map((td) => td.textContent).find((t) => /^\\d{6}[ns]\\d{3}$/.test(t))))
            === JSON.stringify(rows);
        }""",
        arg=rows,
    )


def test_the_whole_sky_moves_the_local_map(page):
    page.locator(".twomass-nb-locator").evaluate("(e) => e.scrollIntoView({block: 'start'})")
    page.mouse.click(*point(page, "allsky", -0.8, 0.4))
    driver.wait_in_document(page, "sky-figure", "!model.title.text.includes('-41:')")
    position = SkyCoord(*python(page, "finder.state['position']"), unit="deg")
    # y = sin t, sin Dec = (2 t + sin 2 t) / pi; x = -RA / 90 cos t: 0.4 is Dec 29.7, RA 78.6
    assert position.separation(SkyCoord(78.56, 29.69, unit="deg")).deg < 1.0
    marked = driver.in_document(page, "position-on-sky", "[model.data.x[0], model.data.y[0]]")
    assert marked == pytest.approx([-0.8, 0.4], abs=0.02)
    wait_for_rows(page, python(page, "[str(s) for s in loc.covering(finder.position)['scan_id']]"))


def test_a_box_is_dragged(page):
    page.get_by_title("Drag a box: which scans overlap it?").click()
    page.mouse.move(*point(page, "sky", 0.3, -0.2))
    page.mouse.down()
    page.mouse.move(*point(page, "sky", -0.3, 0.25), steps=4)
    page.mouse.up()
    driver.wait_in_document(page, "box", "model.data.l?.length === 1")
    assert python(page, "finder.state['asked']") == "box"
    expected = python(page, "[str(s) for s in loc.overlapping(finder.model.region)['scan_id']]")
    assert len(expected) > 4
    wait_for_rows(page, expected)
    sides = driver.in_document(page, "box", "['l', 'r', 'b', 't'].map((k) => model.data[k][0])")
    assert sides == pytest.approx([-0.3, 0.3, -0.2, 0.25], abs=0.01)


def test_the_table_sorts_and_filters(page):
    names = python(page, "[str(s) for s in finder.table['scan_id']]")
    quality = python(page, "[int(q) for q in finder.table['qual']]")
    head = page.locator(".twomass-nb-table th", has_text="quality")
    head.click()
    by_quality = sorted(range(len(names)), key=lambda i: quality[i])
    wait_for_rows(page, [names[i] for i in by_quality])
    assert head.get_attribute("aria-sort") == "ascending"
    page.locator(".twomass-nb-table tbody tr").first.click()
    page.locator('.twomass-nb-table tr[aria-selected="true"]').wait_for()
    wait_in_python(page, f"str(finder.selected) == {names[by_quality[0]]!r}")
    page.locator(".twomass-nb-within").fill(names[1])
    wait_for_rows(page, [names[1]])
    page.locator(".twomass-nb-within").fill("")
    head.click()
    head.click()  # down, and as it was
    wait_for_rows(page, names)


def test_a_list_filters_and_the_code(page):
    page.locator(".twomass-nb-locator button", has_text="List").click()
    page.locator(".twomass-nb-locator textarea").fill("a, 100 20\nb, 266.2 -41.6\n")
    page.get_by_role("button", name="Find these").click()
    page.locator(".twomass-nb-table th", has_text="target").wait_for()
    wait_for_rows(page, python(page, "[str(s) for s in finder.table['scan_id']]"))
    assert set(listed(page)) == {"a", "b"}
    page.locator(".twomass-nb-locator button", has_text="Filter").click()
    page.locator(".twomass-nb-locator select", has_text="south").select_option("south")
    page.wait_for_function(
        "() => document.querySelector('.twomass-nb-locator').innerText.includes('filters leave')"
    )
    assert set(listed(page)) == {"b"}
    assert driver.outside(page) == []
