from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.calibrate.sky import BLOCK_FRAMES, blocks_of
from twomass_nb.errors import CalibrationError, NotFoundError


@given(st.integers(1, 1000))
def test_blocks_have_42_frames_at_least_and_leave_none_out(n):
    blocks = blocks_of(n)
    assert blocks[0][0] == 0
    assert blocks[-1][1] == n
    assert all(a[1] == b[0] for a, b in pairwise(blocks))
    sizes = [stop - start for start, stop in blocks]
    assert min(sizes) >= min(BLOCK_FRAMES, n)
    assert max(sizes) < 2 * BLOCK_FRAMES
    assert max(sizes) - min(sizes) <= 1


@pytest.fixture(scope="module")
def pattern():
    rows, columns = np.mgrid[:256, :256]
    pattern = 30 * np.sin(columns / 40) * np.cos(rows / 60)
    return (pattern - np.median(pattern)).astype(np.float32)


@pytest.fixture
def patterned(flat_sky, pattern):
    """A short scan of a sky with a pattern, and a star that moves by 5 rows a frame."""
    rows, columns = np.mgrid[:256, :256]
    stars = [
        5000 * np.exp(-0.5 * ((rows - 200 + 5 * i) ** 2 + (columns - 100) ** 2) / 1.5**2)
        for i in range(16)
    ]
    return flat_sky(400.0, n=16, star=pattern + np.array(stars, np.float32))


def test_the_pattern_goes_and_the_level_stays(made, patterned, pattern):
    sky = made.calibrator.sky_offsets(patterned)
    assert sky.blocks == ((0, 16),)
    good = made.calibrator.mask == 0
    pull = ((sky.offset[0] - pattern) / np.hypot(sky.error[0], 1.0))[good]
    assert np.median(np.abs(pull)) < 1
    assert np.abs(sky.offset[0] - pattern)[good & (pattern > -99)].max() < 25  # no star is left
    plain = made.calibrator.frame(patterned, 4)
    flat = made.calibrator.frame(patterned, 4, sky=sky)
    assert np.median(flat.data[good]) == pytest.approx(np.median(plain.data[good]), abs=1.5)
    assert np.std(flat.data[150:170, 150:][good[150:170, 150:]]) < 0.8 * np.std(
        plain.data[150:170, 150:][good[150:170, 150:]]
    )
    assert flat.meta["SKYFRMS"] == "0-15"
    star = flat.data[178:183, 98:103].sum() - plain.data[178:183, 98:103].sum()
    assert abs(star + pattern[178:183, 98:103].sum()) < 150  # the star itself is kept


def test_errors_of_the_offset_are_right(made, flat_sky):
    sky = made.calibrator.sky_offsets(flat_sky(400.0, n=20))
    good = (made.calibrator.mask == 0) & (made.calibrator.responsivity_error < 0.01)
    # the dark's and the responsivity's own errors are in all frames alike: taken out, they count
    common = np.hypot(
        made.calibrator.dark_error, 400 * made.calibrator.responsivity_error
    ) / np.abs(made.calibrator.responsivity)
    pull = (sky.offset[0] / np.hypot(sky.error[0], common))[good]
    assert np.mean(np.abs(pull) < 2) == pytest.approx(0.945, abs=0.015)


def test_offsets_of_another_scan_are_refused(made, patterned, flat_sky):
    sky = made.calibrator.sky_offsets(patterned)
    other = flat_sky(400.0, n=2, number=64)
    with pytest.raises(CalibrationError, match="are of 000529s063 j r2-r1, not of 000529s064"):
        made.calibrator.frame(other, 0, sky=sky)
    with pytest.raises(CalibrationError, match="not of 000529s063 j r1"):
        made.calibrator.frame(patterned, 0, "r1", sky=sky)
    with pytest.raises(NotFoundError, match="reach to 15"):
        sky.block(16)
    assert "SIMULATED" in repr(sky)
