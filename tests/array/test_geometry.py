"""The array on the sky: published numbers, and properties any geometry must have."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from twomass_nb.array import ArrayGeometry, period_of
from twomass_nb.array.geometry import PERIODS, PLATE_SCALES
from twomass_nb.errors import NotFoundError
from twomass_nb.scan import ScanId

GEOMETRIES = st.builds(
    ArrayGeometry,
    st.floats(1.5, 2.5).map(lambda s: s * u.arcsec),
    st.floats(-5, 5).map(lambda r: r * u.deg),
    st.booleans(),
)
# T. Chester, "2MASS Previous Dithering Patterns", 2 June 1997: step, band, rotation, then in-scan
# and cross-scan pixels after one frame and after six.
CHESTER = [
    (82.80, "j", 0.377, 41.47, 0.272, 248.82, 1.64),
    (82.80, "h", 0.441, 41.27, 0.322, 247.65, 1.91),
    (82.80, "k", 0.335, 41.74, 0.242, 250.41, 1.46),
    (83.22, "j", 0.489, 41.68, 0.36, 250.08, 2.13),
    (83.22, "h", 0.551, 41.48, 0.40, 248.90, 2.39),
    (83.22, "k", 0.452, 41.95, 0.33, 251.68, 1.99),
]


@pytest.mark.parametrize(("step", "band", "rotation", "in1", "cross1", "in6", "cross6"), CHESTER)
def test_chesters_tables_of_1997(step, band, rotation, in1, cross1, in6, cross6):
    geometry = ArrayGeometry(PLATE_SCALES[band] * u.arcsec, rotation * u.deg)
    assert_allclose(geometry.dither(step * u.arcsec, 1), (in1, cross1), atol=0.006)
    assert_allclose(geometry.dither(step * u.arcsec, n=6), (in6, cross6), atol=0.006)


def test_ks_in_the_south_dithers_by_less_than_a_pixel_over_the_array():
    rotation = ArrayGeometry.preset("South", "k").rotation
    assert_allclose(256 * np.tan(rotation), 0.78, atol=0.005)  # seed 000: "0.8 pixel"


def test_presets_are_the_published_table_and_the_headers_differ_in_one_sign():
    published = {(p, b): ArrayGeometry.preset(p, b).rotation.value for p in PERIODS for b in "jhk"}
    assert published["South", "k"] == 0.175
    assert published["North2", "h"] == -0.420
    for (period, band), rotation in published.items():
        header = ArrayGeometry.preset(period, band, sign="header").rotation.value
        assert header == (-rotation if (period, band) == ("South", "k") else rotation)


def test_periods():
    assert period_of(ScanId("1999-05-02", "s", 1)) == "South"
    assert period_of(ScanId("1999-06-30", "n", 1)) == "North1"
    assert period_of(ScanId("1999-10-01", "n", 1)) == "North2"


@given(GEOMETRIES, st.floats(-500, 500), st.floats(-500, 500))
def test_pixels_to_sky_and_back(geometry, x, y):
    assert_allclose(geometry.to_pixel(*geometry.to_sky_offset(x, y)), (x, y), atol=1e-9)


@given(GEOMETRIES, st.floats(60, 90), st.integers(1, 12))
def test_phases_are_fractions_that_start_at_zero(geometry, step, n):
    phases = geometry.phases(step * u.arcsec, n)
    assert phases.shape == (n, 2)
    assert_allclose(phases[0], 0)
    assert np.all((phases >= 0) & (phases < 1))


@given(GEOMETRIES, st.floats(0, 359), st.floats(-88, 88), st.floats(-60, 60))
def test_frame_wcs_has_the_plate_scale_and_parity(geometry, ra, dec, pa):
    center = SkyCoord(ra, dec, unit="deg")
    wcs = geometry.frame_wcs(center, pa)
    here, right, up = wcs.pixel_to_world([127.5, 128.5, 127.5], [127.5, 127.5, 128.5])
    assert here.separation(center) < 1e-6 * u.arcsec
    for neighbour in (right, up):
        assert_allclose(here.separation(neighbour).arcsec, geometry.plate_scale.value, rtol=1e-6)
    turn = (here.position_angle(right) - here.position_angle(up)).wrap_at(180 * u.deg).deg
    assert_allclose(turn, -90 if geometry.east_left else 90, atol=1e-3)
    expected = pa + (1 if geometry.east_left else -1) * geometry.rotation.value
    difference = (here.position_angle(up).deg - expected + 180) % 360 - 180
    assert_allclose(difference, 0, atol=1e-3)


def test_impossible_geometry_is_refused():
    with pytest.raises(ValueError, match="plate scale"):
        ArrayGeometry(0 * u.arcsec, 0 * u.deg)
    with pytest.raises(NotFoundError, match="North1"):
        ArrayGeometry.preset("East", "j")
    with pytest.raises(u.UnitConversionError):
        ArrayGeometry(2 * u.s, 0 * u.deg)
