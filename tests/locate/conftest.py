"""The survey's simulated tiling and its locator, built once."""

from __future__ import annotations

import pytest

from twomass_nb.locate import ScanLocator
from twomass_nb.simulate.scan_table import scan_table


@pytest.fixture(scope="session")
def survey():
    """Locator of 59,731 simulated scans."""
    return ScanLocator(scan_table())


@pytest.fixture(scope="session")
def few():
    """Locator of 300 simulated scans all over the sky, some over the poles."""
    whole = scan_table()
    polar = whole[abs(whole["dec"]) > 86]
    some = whole[::300]
    from astropy.table import vstack

    return ScanLocator(vstack([polar[::6], some], metadata_conflicts="silent"))
