"""The locator explorer's picture agrees with the locator, everywhere on the sky."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.errors import PositionError
from twomass_nb.explore.locator_model import LocatorModel
from twomass_nb.explore.locator_plane import Plane, find_position
from twomass_nb.locate import ScanLocator
from twomass_nb.scan import ScanId
from twomass_nb.simulate.scan_table import scan_table

HARD = [(0.0, 90.0), (123.0, -90.0), (0.0, 0.0), (359.9999, 1.0), (0.0001, -89.9), (275.0, -16.2)]

positions = st.builds(
    lambda ra, z: SkyCoord(ra, np.degrees(np.arcsin(z)), unit="deg"),
    st.floats(0, 360, exclude_max=True),
    st.floats(-1, 1),
)


@pytest.fixture(scope="module")
def loc():
    return ScanLocator(scan_table())


@pytest.fixture(scope="module")
def model(loc):
    return LocatorModel(loc)


def _inside(x, y, px, py):
    """Whether a point is in a convex polygon."""
    ex, ey = np.roll(x, -1) - x, np.roll(y, -1) - y
    side = ex * (py - y) - ey * (px - x)
    return bool((side >= -1e-9).all() or (side <= 1e-9).all())


@given(positions, st.floats(-1, 1), st.floats(-1, 1))
def test_the_plane_goes_there_and_back(center, x, y):
    plane = Plane(center)
    there = plane.sky(x, y)
    back = plane.project(there.cartesian.xyz.value)
    assert back == pytest.approx((x, y), abs=1e-9)
    assert plane.project(center.icrs.cartesian.xyz.value) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize(("ra", "dec"), HARD[2:])
def test_east_is_positive_x_and_north_positive_y(ra, dec):
    center = SkyCoord(ra, dec, unit="deg")
    plane = Plane(center)
    east = center.directional_offset_by(90 * u.deg, 60 * u.arcsec)
    north = center.directional_offset_by(0 * u.deg, 60 * u.arcsec)
    assert plane.project(east.cartesian.xyz.value) == pytest.approx((1 / 60, 0), abs=1e-6)
    assert plane.project(north.cartesian.xyz.value) == pytest.approx((0, 1 / 60), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(positions)
def test_footprints_said_to_cover_the_position_do(model, position):
    model.go(position)
    found = model.footprints()
    covering = set(model.table["scan_id"])
    assert {name for name, c in zip(found.names, found.covers, strict=True) if c} == covering
    px, py = model.marker()
    for x, y, covers, name in zip(found.x, found.y, found.covers, found.names, strict=True):
        near_an_edge = False
        if covers:
            row = model.table[model.table["scan_id"] == name]
            near_an_edge = min(row["dist_edge_ew"][0], row["dist_edge_ns"][0]) < 0.01
        assert _inside(x, y, px, py) == covers or near_an_edge


@pytest.mark.parametrize(("ra", "dec"), HARD)
def test_hard_places_are_ordinary(model, ra, dec):
    model.go(SkyCoord(ra, dec, unit="deg"))
    found = model.footprints()
    assert model.marker() == pytest.approx((0, 0), abs=1e-9)
    assert found.covers.any()
    assert np.isfinite(found.x).all()
    assert np.isfinite(found.y).all()


def test_a_tap_moves_the_position_and_not_the_picture(model):
    model.go(SkyCoord(275, -16.2, unit="deg"))
    center = model.plane.center
    model.tap(0.3, -0.2)
    assert model.plane.center == center
    assert model.marker() == pytest.approx((0.3, -0.2), abs=1e-9)
    # 0.3 deg east of RA 275 at Dec -16.4
    assert model.position.ra.deg == pytest.approx(275 + 0.3 / np.cos(np.radians(16.4)), abs=1e-3)
    assert model.position.dec.deg == pytest.approx(-16.4, abs=1e-3)


def test_a_selected_scan_is_drawn_last(model):
    model.go(SkyCoord(275, -16.2, unit="deg"))
    model.select(len(model.table) - 1)
    scan = model.selected_scan
    assert isinstance(scan, ScanId)
    found = model.footprints()
    assert found.selected[-1]
    assert found.selected.sum() == 1
    assert found.names[-1] == str(scan) == model.table["scan_id"][-1]
    model.go(SkyCoord(100, 3, unit="deg"))
    assert model.selected_scan is None


def test_it_says_where_the_scans_are_from(model):
    text = model.source_text()
    assert "simulated" in text.lower()
    assert "59,731" in text
    assert "2″" in text
    assert "8″" in text


def test_names_need_a_network(monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.raises(PositionError, match="not looked up offline") as caught:
        find_position("M 17")
    assert "\n" not in str(caught.value)
    assert find_position("18:19:59.8 -16:14:49").dec.deg == pytest.approx(-16.24694, abs=1e-5)
    with pytest.raises(PositionError, match="not a position"):
        find_position("12 34 56")


def test_a_name_is_asked_for_once_and_a_dead_service_is_one_sentence(monkeypatch):
    from astropy.coordinates.name_resolve import NameResolveError

    monkeypatch.delenv("TWOMASS_NB_OFFLINE", raising=False)
    asked = []

    def fails(name):
        asked.append(name)
        raise NameResolveError("All Sesame queries failed.")  # noqa: EM101

    monkeypatch.setattr(SkyCoord, "from_name", fails)
    with pytest.raises(PositionError, match="CDS did not answer"):
        find_position("M 17")
    assert asked == ["M 17"]
