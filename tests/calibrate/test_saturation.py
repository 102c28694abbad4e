from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.calibrate import Flag
from twomass_nb.calibrate.saturation import DIGITAL_LIMIT, seen_limits
from twomass_nb.errors import TwomassWarning


@pytest.fixture
def bright(flat_sky):
    """A star that fills both reads in its core, and read 2 around it."""
    rows, columns = np.mgrid[:256, :256]
    star = 9e5 * np.exp(-0.5 * ((rows - 60.3) ** 2 + (columns - 70.6) ** 2) / 2.5**2)
    return flat_sky(400.0, n=3, star=star.astype(np.float32))


def truth(made, scan, i):
    both = scan.frame(i)
    return both[0] >= made.camera.saturation, both[1] >= made.camera.saturation


def test_what_is_full_is_flagged_before_any_limit_is_known(made, bright):
    calibrator = made.calibrator
    assert (calibrator.saturation == DIGITAL_LIMIT).all()
    flags = calibrator.flags(bright, 1)
    full1, full2 = truth(made, bright, 1)
    assert full1.sum() > 5
    np.testing.assert_array_equal((flags & Flag.SATURATED_R1) != 0, full1)
    found2 = (flags & Flag.SATURATED_R2) != 0
    assert not np.any(found2 & ~full2)
    assert found2.sum() > 0.7 * full2.sum()


def test_limits_are_measured_in_stars(made, bright):
    calibrator = made.calibrator.with_saturation(bright)
    quadrant = calibrator.saturation[:128, :128]
    np.testing.assert_allclose(quadrant, made.camera.saturation[:128, :128], rtol=0.01)
    assert (quadrant < made.camera.saturation[:128, :128]).all()
    # no star was in the other quadrants: their wells are like that of the first
    np.testing.assert_allclose(calibrator.saturation, made.camera.saturation, rtol=0.02)
    assert (calibrator.saturation < made.camera.saturation).all()
    assert calibrator.saturation_seen
    assert not made.calibrator.saturation_seen
    flags = calibrator.flags(bright, 2)
    full1, full2 = truth(made, bright, 2)
    np.testing.assert_array_equal((flags & Flag.SATURATED_R1) != 0, full1)
    # the limit is approached to 1 %, so a pixel or two nearly full count as well
    missed = full2 & ((flags & Flag.SATURATED_R2) == 0)
    assert not missed.any()


def test_r1_is_of_use_where_r2_is_full(made, bright):
    calibrator = made.calibrator.with_saturation(bright)
    first, usual = calibrator.frame(bright, 0, "r1"), calibrator.frame(bright, 0)
    full1, full2 = truth(made, bright, 0)
    ring = full2 & ~full1
    assert usual.mask[ring].all()
    assert not first.mask[ring & (calibrator.mask == 0)].any()
    assert first.mask[full1].all()
    rows, columns = np.mgrid[:256, :256]
    light = 400 + 9e5 * np.exp(-0.5 * ((rows - 60.3) ** 2 + (columns - 70.6) ** 2) / 2.5**2)
    good = ring & ~first.mask
    pull = ((first.data - light) / first.uncertainty.array)[good]
    assert np.sqrt(np.mean(pull**2)) == pytest.approx(1, abs=0.4)


def test_arrays_for_the_coadd_have_r1_where_r2_is_full(made, bright):
    calibrator = made.calibrator.with_saturation(bright)
    with pytest.warns(TwomassWarning, match="too few"):
        sky = calibrator.sky_offsets(bright)
    one, usual = calibrator.science(bright, 1, sky), calibrator.frame(bright, 1, sky=sky)
    first = calibrator.frame(bright, 1, "r1")
    ring = ((one.flags & Flag.SATURATED_R2) != 0) & ((one.flags & Flag.SATURATED_R1) == 0)
    assert ring.sum() > 20
    offset = sky.offset[0]
    np.testing.assert_array_equal(one.pixels[ring], (first.data - offset)[ring])
    np.testing.assert_array_equal(one.mask[ring], first.mask[ring])
    assert (one.variance[ring] > 50 * np.nanmedian(one.variance)).all()
    np.testing.assert_array_equal(one.pixels[~ring], usual.data[~ring])
    np.testing.assert_array_equal(one.mask[~ring], usual.mask[~ring])
    assert one.mask[(one.flags & Flag.SATURATED_R1) != 0].all()


def test_an_even_sky_is_not_full_anywhere(made, flat_sky):
    for level in (0.0, 400.0, 15000.0):
        flags = made.calibrator.flags(flat_sky(level, n=1), 0)
        assert not np.any(flags & (Flag.SATURATED_R1 | Flag.SATURATED_R2))


def star_frames(wells, n=6):
    """Frames with a star that fills pixels of two quadrants, and where its light is lost."""
    read2 = np.full((256, 256), 12000, np.uint16)
    frames = []
    for k in range(n):
        lost = np.zeros((256, 256), bool)
        lost[20 + 41 * k : 22 + 41 * k, 30] = True
        filled = read2.copy()
        filled[lost] = 9000 + wells
        frames.append((filled, lost))
    return frames, np.full((256, 256), 9000, np.float32)


def test_a_frame_read_out_wrong_says_nothing_of_limits():
    frames, dark = star_frames(26000)
    limit = seen_limits(frames, dark)
    np.testing.assert_allclose(limit, 9000 + 26000 * 0.99)
    upside_down = np.full((256, 256), 8000, np.uint16), np.ones((256, 256), bool)
    half = np.full((256, 256), 9000, np.uint16), np.arange(256)[:, None] < np.full(256, 128)
    np.testing.assert_array_equal(seen_limits([*frames, upside_down, half], dark), limit)


def test_hits_in_read_1_are_no_limits():
    rng = np.random.default_rng(3)
    frames, dark = star_frames(26000)
    hits = []
    for at in rng.integers(0, 256, (12, 2)):
        lost = np.zeros((256, 256), bool)
        lost[tuple(at)] = True
        hits.append((np.full((256, 256), 9000 + rng.integers(200, 9000), np.uint16), lost))
    assert (seen_limits(hits, dark) == DIGITAL_LIMIT).all()
    np.testing.assert_array_equal(
        seen_limits([*frames, *hits[:4]], dark), seen_limits(frames, dark)
    )


def test_a_star_that_lacks_little_light_shows_the_limit(made, flat_sky):
    rows, columns = np.mgrid[:256, :256]
    star = 3.1e4 * np.exp(-0.5 * ((rows - 60) ** 2 + (columns - 70) ** 2) / 2.5**2)
    scan = flat_sky(400.0, n=3, star=star.astype(np.float32))
    calibrator = made.calibrator.with_saturation(scan)
    assert calibrator.saturation_seen
    full2 = truth(made, scan, 0)[1]
    assert full2.any()
    assert ((calibrator.flags(scan, 0) & Flag.SATURATED_R2) != 0)[full2].all()
