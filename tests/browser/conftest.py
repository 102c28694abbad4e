"""A browser and Jupyter servers for the tests; where there is no Chromium, a reason to skip."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "explore"))


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    import jupyter_driver

    if shutil.which("chromium") is None:
        pytest.skip("no chromium on the PATH: install it to run the browser tests")
    with jupyter_driver.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    """A JupyterLab server on an empty folder; ``lab.folder`` is where notebooks go."""
    import jupyter_driver

    with jupyter_driver.serve(tmp_path_factory.mktemp("lab"), "lab") as server:
        yield server


@pytest.fixture(scope="session")
def notebook7(browser, tmp_path_factory):
    """The same with Notebook 7."""
    import jupyter_driver

    with jupyter_driver.serve(tmp_path_factory.mktemp("notebook"), "notebook") as server:
        yield server
