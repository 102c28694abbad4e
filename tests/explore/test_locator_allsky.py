"""The whole sky: places go there and back everywhere, and the depth is the locator's."""

from __future__ import annotations

import healpy as hp
import numpy as np
import pytest
from bokeh.events import Tap
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.explore import locator
from twomass_nb.explore import locator_allsky as allsky
from twomass_nb.locate import ScanLocator
from twomass_nb.simulate.scan_table import scan_table

HARD = [(0, 0), (0, 90), (0, -90), (180, 30), (179.99, -45), (180.01, -45), (359.99, 89.99)]


@pytest.fixture(scope="module")
def loc():
    return ScanLocator(scan_table())


@pytest.fixture(scope="module")
def explorer(loc):
    return locator(loc, "275 -16.2")


def apart(ra, dec, ra2, dec2):
    a, b = (hp.ang2vec(*place, lonlat=True) for place in ((ra, dec), (ra2, dec2)))
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


@given(st.floats(0, 360, exclude_max=True), st.floats(-89.9, 89.9))
def test_there_and_back(ra, dec):
    x, y = allsky.project(ra, dec)
    assert x**2 / 4 + y**2 <= 1 + 1e-9
    # not exactly the edge, where rounding decides between the sky and the page beside it
    assert apart(ra, dec, *allsky.sky_at(x * (1 - 1e-12), y)) < 1e-4


@pytest.mark.parametrize(("ra", "dec"), HARD)
def test_hard_places(ra, dec):
    x, y = allsky.project(ra, dec)
    assert apart(ra, dec, *allsky.sky_at(x * (1 - 1e-12), y * (1 - 1e-15))) < 1e-2


def test_known_places():
    assert allsky.project(0, 0) == pytest.approx((0, 0))
    assert allsky.project(90, 0) == pytest.approx((-1, 0))  # east is left
    assert allsky.project(270, 0) == pytest.approx((1, 0))
    assert allsky.project(12, 90) == pytest.approx((0, 1), abs=1e-6)
    assert allsky.project(200, -90) == pytest.approx((0, -1), abs=1e-6)
    # the circle x^2 + y^2 = 1 bounds the half of the sky around RA 0
    assert np.hypot(*allsky.project([90, 90, 270], [0, 40, -75])) == pytest.approx(1)
    assert np.isnan(allsky.sky_at([1.9, 0.0, 3.0], [0.9, 1.2, 0.0])).all()


def test_areas_are_equal():
    pixels = np.arange(hp.nside2npix(8))
    x, y = allsky.project(*hp.pix2ang(8, pixels, lonlat=True))
    share = np.mean(np.hypot(x / 2, y) < 0.5)
    assert share == pytest.approx(0.25, abs=0.01)


def test_the_depth_is_the_locators(loc):
    image = allsky.depth_image(loc, {})
    on = np.isfinite(image)
    assert on.mean() == pytest.approx(np.pi / 4, abs=0.01)  # the ellipse in its box
    assert np.nanmean(image) == pytest.approx(loc.coverage(256).mean(), rel=0.01)
    y = (np.arange(allsky.HEIGHT) + 0.5) / allsky.HEIGHT * 2 - 1
    _, dec = allsky.sky_at(0.0, y)
    south = allsky.depth_image(loc, {"hemis": "s"})
    assert np.isnan(south[dec > 2]).all()
    np.testing.assert_array_equal(south[dec < -2], image[dec < -2])


def test_nothing_left_is_drawn_as_nothing(loc):
    assert np.isnan(allsky.depth_image(loc, {"dates": "1990-01-01"})).all()


@pytest.mark.parametrize(("x", "y"), [(1e-9, 0), (0.2, -0.99), (-1.99, 0.0), (-0.5, 0.5)])
def test_a_click_moves_the_local_map(explorer, x, y):
    before = explorer.allsky.depth.data
    explorer.allsky.root._trigger_event(Tap(explorer.allsky.root, x=x, y=y))
    ra, dec = (float(part) for part in allsky.sky_at(x, y))
    assert apart(explorer.position.ra.deg, explorer.position.dec.deg, ra, dec) < 1e-9
    assert explorer.model.plane.center == explorer.position
    names = explorer.model.loc.covering(explorer.position)["scan_id"]
    assert list(explorer.table["scan_id"]) == list(names)
    marked = explorer.allsky.position.data
    assert (marked["x"][0], marked["y"][0]) == pytest.approx((x, y), abs=1e-6)
    assert explorer.allsky.depth.data is before  # made once


def test_a_click_beside_the_sky_is_nothing(explorer):
    before = explorer.position
    explorer.allsky.root._trigger_event(Tap(explorer.allsky.root, x=1.9, y=0.9))
    assert explorer.position is before
