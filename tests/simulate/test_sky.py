"""Skies put light where it belongs, and as much as there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.array.geometry import ArrayGeometry
from twomass_nb.array.track import ScanTrack
from twomass_nb.atlas import AtlasImage, track_of
from twomass_nb.simulate.sky import AtlasSky, StarField, render_stars

GEOMETRY = ArrayGeometry.preset("South", "j", sign="header")
TRACK = ScanTrack(266.2, -42.05, 0.006, 82.2, 60, "sim")


def centroid(image, x, y, half=4):
    x0, y0 = round(float(x)), round(float(y))
    cut = image[y0 - half : y0 + half + 1, x0 - half : x0 + half + 1]
    yy, xx = np.mgrid[y0 - half : y0 + half + 1, x0 - half : x0 + half + 1]
    return (cut * xx).sum() / cut.sum(), (cut * yy).sum() / cut.sum()


@settings(deadline=None, max_examples=60)
@given(x=st.floats(20, 40), y=st.floats(20, 40), flux=st.floats(1, 1e6))
def test_a_star_has_its_flux_and_its_place(x, y, flux):
    image = render_stars((61, 61), x, y, flux, 2.0)
    assert image.sum() == pytest.approx(flux, rel=0.05)
    assert centroid(image, x, y, 8) == pytest.approx((x, y), abs=0.02)
    assert image.min() >= 0


@given(x=st.floats(-200, 300), y=st.floats(-200, 300), flux=st.sampled_from([1e2, 1e6]))
@settings(deadline=None, max_examples=60)
def test_stars_at_and_off_the_edges_do_no_harm(x, y, flux):
    image = render_stars((64, 96), x, y, flux, 2.0, within=True)
    assert image.shape == (64, 96)
    assert np.all(np.isfinite(image))
    assert image.sum() <= flux * 1.2


def test_within_a_pixel_edges_count_less():
    middle, edge = (
        render_stars((41, 41), x, 20.0, 1000.0, 6.0, within=True).sum() for x in (20.25, 20.5)
    )
    assert middle > edge


def test_a_frame_shows_some_tens_of_stars():
    sky = StarField(TRACK, 3, "j", specials=False)
    noise = 8.3  # DN a pixel
    seen = []
    for i in range(0, 60, 6):
        *_, best, x, y = TRACK.frames_seeing(sky.ra, sky.dec, GEOMETRY)
        in_frame = np.abs(best - i) < 3
        # S/N of 7 over some 7 pixels
        seen.append(np.sum(sky.flux[in_frame] > 7 * noise * np.sqrt(7)))
        assert np.isfinite(x[best >= 0]).all()
        assert np.isfinite(y[best >= 0]).all()
    assert 10 <= np.median(seen) <= 40


def test_stars_are_where_the_track_says_in_every_frame_that_sees_them():
    sky = StarField(TRACK, 3, "k", specials=False, within=False)
    geometry = ArrayGeometry.preset("South", "k", sign="header")
    bright = np.argsort(sky.flux)[-40:]
    checked = 0
    for i in (0, 7, 31, 59):
        image = sky.light(TRACK, i, geometry)
        along, west = TRACK.offsets(sky.ra, sky.dec)
        x, y = geometry.to_pixel(west, along - i * TRACK.step)
        for k in bright:
            near = np.hypot(x - x[k], y - y[k]) < 14
            if 10 < x[k] < 245 and 10 < y[k] < 245 and sky.flux[near].sum() < 1.05 * sky.flux[k]:
                assert centroid(image, x[k], y[k]) == pytest.approx((x[k], y[k]), abs=0.2)
                checked += 1
    assert checked > 5


def test_bands_see_the_same_stars():
    fields = [StarField(TRACK, 3, band) for band in "jhk"]
    for field in fields[1:]:
        assert np.array_equal(field.ra, fields[0].ra)
        assert np.array_equal(field.mag, fields[0].mag)
    assert not np.array_equal(StarField(TRACK, 4, "j").ra[:5], fields[0].ra[:5])


def test_galaxy_and_very_bright_star_are_on_the_scan():
    sky = StarField(TRACK, 3, "j")
    (galaxy,) = sky.galaxies
    brightest = np.argmax(sky.flux)
    for ra, dec in ((galaxy.ra, galaxy.dec), (sky.ra[brightest], sky.dec[brightest])):
        first, last, *_ = TRACK.frames_seeing(ra, dec, GEOMETRY)
        assert last - first >= 4
    assert sky.mag[brightest, 0] < 4.5


@pytest.fixture(scope="module")
def m17(real_data):
    paths = sorted((real_data / "atlas").glob("*990502s135*"))
    return [AtlasImage.open(path) for path in paths]


def test_real_sky_keeps_its_flux_on_larger_pixels(m17):
    geometry = ArrayGeometry.preset("South", "k", sign="header")
    sky, track = AtlasSky(m17, geometry), track_of(m17)
    # sky inside of the first image alone, seen by the frame of its centre
    frame = sky.light(track, 79, geometry)
    wcs = track.wcs(79, geometry)
    ra, dec = wcs.wcs_pix2world([60, 200, 200, 60], [40, 40, 220, 220], 0)
    x, y = m17[0].wcs.wcs_world2pix(ra, dec, 0)
    box = m17[0].data[round(y.min()) : round(y.max()), round(x.min()) : round(x.max())]
    total = np.nansum(box - m17[0].header["SKYVAL"])
    assert frame[40:220, 60:200].sum() == pytest.approx(total, rel=0.02)
    assert sky.level == pytest.approx(641.07 * 1.9839**2, rel=1e-3)


def test_off_the_images_there_is_the_level_alone(m17):
    geometry = ArrayGeometry.preset("South", "k", sign="header")
    sky, track = AtlasSky(m17, geometry), track_of(m17)
    assert np.all(sky.light(track, 0, geometry) == 0)
    for i in range(66, 105, 3):
        assert np.isfinite(sky.light(track, i, geometry)).all()
    spoilt = AtlasImage(np.full_like(m17[0].data, np.nan), m17[0].header)
    assert np.all(AtlasSky([spoilt], geometry).light(track, 79, geometry) == 0)
