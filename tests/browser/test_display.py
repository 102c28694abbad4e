"""The one display layer: below any address, in Voila, in several places, gone when closed."""

from __future__ import annotations

import json
import shutil

import jupyter_driver as driver
import numpy as np
import pytest

import twomass_nb as tm

pytestmark = pytest.mark.browser

DITHER = ("import twomass_nb as tm\nexplorer = tm.explore.dither()\nexplorer",)
COUNT = "window.Bokeh?.documents.length ?? 0"
TITLES = """() => (window.Bokeh?.documents ?? [])
  .map((document) => document.get_model_by_name("dither-pixel")?.title.text)"""


def open_new(browser, server, name, *cells):
    driver.write_notebook(server.folder / name, *cells)
    page = driver.new_page(browser)
    driver.open_notebook(page, server, name)
    driver.run_all(page)
    return page


def test_below_the_address_of_a_hub(browser, tmp_path, short_sample):
    """As JupyterHub serves it: explorers, and the plugin's viewer."""
    shutil.copytree(short_sample / "000529s", tmp_path / "night")
    with driver.serve(tmp_path, base="/user/ada/") as server:
        page = open_new(browser, server, "dither.ipynb", *DITHER)
        driver.wait_for_document(page, "dither-places")
        page.get_by_role("button", name="North1", exact=True).click()
        driver.wait_in_document(page, "dither-today", "Math.abs(model.data.x[0] - 82.8) < 1e-9")
        page.evaluate(
            "async (path) => {"
            "  await window.jupyterapp.commands.execute('docmanager:open', {path}) }",
            "night/k1186063.rds.gz",
        )
        page.wait_for_selector(".twomass-nb-viewer[data-shown='20 r2-r1']")
        assert driver.outside(page) == []
        page.close()


def test_in_voila_without_a_notebook_around(browser, tmp_path, short_sample):
    shutil.copytree(short_sample / "000529s", tmp_path / "night")
    driver.write_notebook(
        tmp_path / "app.ipynb",
        "import twomass_nb as tm\ntm.explore.frames(tm.open_scan('night/k1186063.rds.gz'))",
    )
    with driver.serve(tmp_path) as server:
        page = driver.new_page(browser)
        page.goto(f"{server.root}voila/render/app.ipynb?token={driver.TOKEN}")
        driver.wait_for_document(page, "frame")
        scan = tm.open_scan(short_sample / "000529s" / "k1186063.rds.gz")
        np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(20))
        driver.step(page, +1)
        driver.wait_for_title(page, "frame 21 of")
        np.testing.assert_array_equal(driver.pixels(page, "frame"), scan.difference(21))
        # Voila's own page asks for fonts and formulas; without them it works as well
        own = ("fontawesome", "mathjax")
        assert [url for url in driver.outside(page) if not any(w in url.lower() for w in own)] == []
        page.close()


@pytest.fixture(scope="module")
def twice(browser, lab):
    page = open_new(browser, lab, "twice.ipynb", *DITHER, "explorer")
    page.wait_for_function(f"() => ({TITLES})().filter((title) => title).length === 2")
    yield page
    page.close()


def test_several_views_of_one_explorer_are_in_step(twice):
    before = twice.evaluate(TITLES)
    assert before[0] == before[1]
    twice.get_by_role("button", name="1997-04-18", exact=True).last.click()
    twice.wait_for_function(
        f"(before) => {{ const now = ({TITLES})();"
        " return now.length === 2 && now[0] === now[1] && now[0] !== before; }",
        arg=before[0],
    )
    # a picture moved by hand in one view moves in the other, through Python
    driver.wait_idle(twice)
    driver.in_document(twice, "dither-path", "model.x_range.setv({start: 120, end: 130}), null")
    twice.wait_for_function(
        """() => window.Bokeh.documents
        .map((document) => document.get_model_by_name("dither-path").x_range.start)
        .every((start) => start === 120)"""
    )
    assert driver.run_code(twice, "print(explorer.figure._path.x_range.start)").strip() == "120"


def test_clearing_a_cell_takes_its_document_off_the_page(twice):
    assert twice.evaluate(COUNT) == 2
    twice.evaluate(
        """async () => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.activeCellIndex = 1;
          await window.jupyterapp.commands.execute("notebook:clear-cell-output");
        }"""
    )
    twice.wait_for_function(f"() => {COUNT} === 1")
    views = driver.run_code(twice, "print(len(explorer.view._views))")
    assert views.strip() == "1"


def test_closing_gives_the_memory_back(browser, lab, short_sample):
    """Frames shown and closed again and again do not pile up in the kernel."""
    shutil.copytree(short_sample / "000529s", lab.folder / "closing")
    code = """
import gc, weakref
import twomass_nb as tm

def once():
    scan = tm.open_scan("closing/k1186063.rds.gz", cache=False)
    explorer = tm.explore.frames(scan)
    for frame in range(20, 26):
        explorer.slider.value = frame
    explorer.close()
    return weakref.ref(scan), weakref.ref(explorer.view.document)

gone = [once() for _ in range(3)]
gc.collect()
print([[ref() is None for ref in refs] for refs in gone])
"""
    page = open_new(browser, lab, "closing.ipynb", "1")
    said = json.loads(driver.run_code(page, code).strip().lower())
    assert said == [[True, True]] * 3
    page.close()
