"""Every example notebook runs to its end in a real JupyterLab, offline and with no error."""

from __future__ import annotations

import shutil
from pathlib import Path

import jupyter_driver as driver
import pytest

pytestmark = pytest.mark.browser

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.ipynb"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_example_runs(browser, lab, path):
    shutil.copy(path, lab.folder / path.name)
    page = driver.new_page(browser)
    driver.open_notebook(page, lab, path.name)
    driver.run_all(page)
    assert page.locator(".twomass-nb-note.error").count() == 0
    assert driver.outside(page) == []
    page.close()
