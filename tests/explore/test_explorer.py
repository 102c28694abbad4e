"""Closing an explorer gives back all it had: its widgets, its figures, its scan."""

from __future__ import annotations

import gc
import weakref

import pytest
from ipywidgets.widgets.widget import _instances

import twomass_nb as tm

MAKERS = {
    "frames": lambda scan, coadd, loc: tm.explore.frames(scan),
    "compare": lambda scan, coadd, loc: tm.explore.compare(scan, coadd),
    "artifacts": lambda scan, coadd, loc: tm.explore.artifacts(scan),
    "dither": lambda scan, coadd, loc: tm.explore.dither(),
    "locator": lambda scan, coadd, loc: tm.explore.locator(loc),
}


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_left_of_it(name, short_sample):
    night = short_sample / "000529s"
    before = set(_instances)

    def use():
        scan = tm.open_scan(night / "k1186063.rds.gz")
        coadd = sorted((night / "s063" / "image").glob("k*.fits.gz"))[1]
        loc = tm.ScanLocator(tm.read_scan_table(short_sample / "scan_table.csv"))
        explorer = MAKERS[name](scan, coadd, loc)
        explorer.close()
        explorer.close()  # a second time does nothing
        view = getattr(explorer, "view", None)
        return [weakref.ref(one) for one in (explorer, explorer.model, view or explorer)]

    left = use()
    gc.collect()
    assert set(_instances) == before
    assert [ref() for ref in left] == [None, None, None]


def test_another_stays_as_it_is(short_sample):
    scan = tm.open_scan(short_sample / "000529s" / "k1186063.rds.gz")
    first, second = tm.explore.frames(scan), tm.explore.frames(scan)
    first.close()
    second.slider.value = 7
    assert second.state["frame"] == 7
    second.close()
