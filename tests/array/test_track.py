"""Frames along a scan: they see what their WCS says they see, anywhere on the sky."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from twomass_nb.array import ArrayGeometry, ScanTrack
from twomass_nb.array.track import (
    lonlat,
    unit_vector,
)
from twomass_nb.errors import NotFoundError

TRACKS = st.builds(
    ScanTrack,
    st.floats(0, 359.99),
    st.floats(-84, 84),
    st.floats(-5, 5),
    st.floats(82, 83).flatmap(lambda s: st.sampled_from((s, -s))),
    st.just(274),
)
ARRAYS = st.sampled_from([("North1", "j"), ("North2", "h"), ("South", "k")]).map(
    lambda key: ArrayGeometry.preset(*key)
)
PIXELS = st.floats(0, 255)
FRAMES = st.integers(0, 273)


@given(TRACKS, ARRAYS, FRAMES, PIXELS, PIXELS)
def test_a_pixels_sky_position_is_seen_there_by_that_frame(track, geometry, i, x, y):
    coord = track.wcs(i, geometry).pixel_to_world(x, y)
    assert_allclose(track.pixel(i, coord, geometry), (x, y), atol=0.001)
    first, last, best, bx, by = track.frames_seeing(coord.ra.deg, coord.dec.deg, geometry)
    assert first <= i <= last
    assert first <= best <= last
    seen = track.wcs(int(best), geometry).world_to_pixel(coord)
    assert_allclose(seen, (bx, by), atol=0.001)


@given(TRACKS, ARRAYS, st.integers(10, 260))
def test_a_survey_scan_sees_a_position_six_or_seven_times(track, geometry, i):
    center = track.center(i)
    first, last, best, x, y = track.frames_seeing(center.ra.deg, center.dec.deg, geometry)
    assert last - first + 1 in (6, 7)
    assert best == i
    assert_allclose((x, y), 127.5, atol=1e-6)


@given(TRACKS, ARRAYS, st.floats(-600, 600), st.floats(-600, 24000))
def test_the_frames_named_are_just_those_that_hold_the_pixel(track, geometry, west, along):
    from twomass_nb.array.track import frames_seeing

    along = np.sign(track.step) * along
    first, last, best, x, y = frames_seeing(along, west, track.step, 274, geometry)
    frames = np.arange(274)
    px, py = geometry.to_pixel(west, along - frames * track.step)
    inside = (px >= -0.5) & (px <= 255.5) & (py >= -0.5) & (py <= 255.5)
    expected = frames[inside]
    if expected.size:
        assert (first, last) == (expected[0], expected[-1])
        assert_allclose((x, y), (px[best], py[best]), atol=1e-9)
    else:
        assert (first, last, best) == (-1, -1, -1)
        assert np.isnan(x)
        assert np.isnan(y)


@given(st.floats(0, 360), st.floats(-80, 80), st.sampled_from("ns"))
def test_a_footprints_corners_give_its_track_back(ra, dec, direction):
    sign = -1 if direction == "s" else 1
    track = ScanTrack(ra % 360, dec, 0.0, sign * 82.2, 274)
    back = ScanTrack.from_corners(*track.corners(), direction)
    assert track.center(0).separation(back.center(0)).arcsec < 1e-6
    assert track.center(273).separation(back.center(273)).arcsec < 1e-4
    assert np.sign(back.step) == sign


@given(TRACKS, st.floats(-600, 600), st.floats(-1000, 24000))
def test_positions_undo_offsets(track, west, along):
    assert_allclose(track.offsets(*track.positions(along, west)), (along, west), atol=1e-6)


@given(TRACKS, ARRAYS, st.floats(0, 1), st.floats(-240, 240))
def test_a_footprint_is_where_the_scan_is_six_frames_deep(track, geometry, place, west):
    """Inside of it, a rotated array's width from its ends, six or seven frames see a position."""
    ra, dec = track.corners()
    start, end = (abs(track.offsets(ra[k], dec[k])[0]) for k in (0, 2))
    along = np.sign(track.step) * (start + 5 + place * (end - start - 160 - 10))
    first, last, *_ = track.frames_seeing(*track.positions(along, west), geometry)
    assert 5 <= last - first + 1 <= 7


def test_the_two_directions_cover_the_same_tile():
    """Real M17 scans 135 (n-going) and 142 (s-going) cover declinations -18 to -12 alike."""
    north = ScanTrack(275.0, -18.049198, 0.0, 82.2, 274).corners()[1]
    south = ScanTrack(275.0, -11.808931, 0.0, -82.2, 274).corners()[1]
    assert_allclose(north[[0, 2]], south[[2, 0]], atol=30 / 3600)


@given(st.floats(0, 359.999), st.floats(-90, 90))
def test_vectors_and_angles(ra, dec):
    back = SkyCoord(*lonlat(unit_vector(ra, dec)), unit="deg")
    assert back.separation(SkyCoord(ra, dec, unit="deg")) < 1e-9 * u.arcsec or abs(dec) > 89.999


@pytest.mark.parametrize("i", [-1, 274])
def test_a_frame_that_is_not_there(i):
    track = ScanTrack(10, 20, 0, 82.2, 274)
    with pytest.raises(NotFoundError, match="0 to 273"):
        track.center(i)


def test_start_of_scan_predicts_the_first_frame():
    """The real scan 62 of 001022s: SOS at Dec -5:42:16.0, first frame at -5.8060 (FACTS)."""
    track = ScanTrack.from_sos(14.188750, -5.704444, "s", "s", 274)
    assert abs(track.dec - -5.806000) * 3600 < track.uncertainty[0]
    assert track.step < 0
