from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.calibrate import Flag
from twomass_nb.calibrate.sky import BLOCK_FRAMES, blocks_of, chosen_frames, sky_offsets
from twomass_nb.errors import CalibrationError, NotFoundError, TwomassWarning


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


@given(st.lists(st.booleans(), min_size=1, max_size=300).filter(any))
def test_a_block_has_the_nearest_dark_frames_42_at_least(dark):
    blocks = blocks_of(len(dark))
    for (start, stop), frames in zip(blocks, chosen_frames(blocks, np.array(dark)), strict=True):
        assert all(dark[i] for i in frames)
        assert set(range(start, stop)) & set(np.flatnonzero(dark)) <= set(frames)
        assert len(frames) >= min(BLOCK_FRAMES, sum(dark))
        away = [max(start - i, i - stop + 1, 0) for i in frames]
        left = set(np.flatnonzero(dark)) - set(frames)
        assert all(max(start - i, i - stop + 1) >= max(away) for i in left)


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


def test_a_first_column_is_corrected_by_the_sky(made, flat_sky):
    """Its responsivity is too high, from twilight: stars come out too faint, as the sky does."""
    rows, columns = np.mgrid[:256, :256]
    stars = [
        3000 * np.exp(-0.5 * ((rows - 200 + 9 * i) ** 2 + (columns - 128) ** 2) / 1.5**2)
        for i in range(21)
    ]
    scan = flat_sky(400.0, n=21, star=np.array(stars, np.float32))
    sky = made.calibrator.sky_offsets(scan)
    first = (made.calibrator.mask & Flag.FIRST_COLUMN != 0) & (made.calibrator.mask & 15 == 0)
    for correct, share in ((False, 0.94), (True, 1.0)):
        frames = [
            made.calibrator.frame(scan, i, sky=sky, correct_first_column=correct)
            for i in range(2, 19)
        ]
        levels = [np.median(one.data[first]) for one in frames]
        assert np.mean(levels) == pytest.approx(400, abs=3)
        peaks = [one.data[200 - 9 * i, 128] for i, one in enumerate(frames, 2)]
        assert np.median(peaks) == pytest.approx(400 + 3000 * share, rel=0.015)
        arrays = made.calibrator.science(scan, 2, sky, correct_first_column=correct)
        np.testing.assert_array_equal(arrays.pixels, frames[0].data)
    starless = first & (rows < 150)
    pull = ((frames[0].data - 400) / frames[0].uncertainty.array)[starless]
    assert 0.9 < np.mean(np.abs(pull) < 2) < 0.98


def sky_of(n, pattern, light, noise=15.0):
    """Return what `sky_offsets` takes: frames of a pattern and light that moves over the array."""

    def frame(i):
        rng = np.random.default_rng(i)
        pixels = 1600 + pattern + light(i) + noise * rng.standard_normal((256, 256), np.float32)
        return pixels.astype(np.float32), np.zeros((256, 256), bool)

    return frame, n, "990502s135", "k", "r2-r1", True


def binned(image):
    return np.median(image.reshape(8, 32, 8, 32).swapaxes(1, 2).reshape(8, 8, -1), axis=-1)


def nebula(i, center, scale, peak):
    y, x = np.mgrid[:256, :256]
    y = y + 41.5 * (i - center)
    return peak * np.exp(-0.5 * ((y - 128) ** 2 + (x - 60.0) ** 2) / scale**2)


def test_a_nebula_stays_in_the_frames_and_out_of_the_offsets(pattern):
    """A wide one, that fills most frames of a block: its light is no offset of the array."""
    sky = sky_offsets(*sky_of(126, pattern, lambda i: nebula(i, 63, 350.0, 400.0)))
    assert sky.blocks == ((0, 42), (42, 84), (84, 126))
    seen = {i for i in range(126) if nebula(i, 63, 350.0, 400.0).std() > 2}
    assert len(seen) > 30
    for offset, frames in zip(sky.offset, sky.frames, strict=True):
        assert not seen & set(frames)
        assert len(frames) >= 42
        # a coadd's noise is a quarter of a frame's, and what is asked for is 0.3 times that
        assert np.abs(binned(offset - pattern)).max() < 0.3 * 15 / 4 + 3 * 15 * 1.25 / 32 / 6
    assert sky.background == (True, True, True)
    assert seen <= {one.frame for one in sky.left_out}
    assert "structure of its own in the background" in str(sky.left_out[0])
    assert f"{126 - len(sky.left_out)} of 126 show dark sky" in repr(sky)


def test_a_sky_that_is_nebulous_all_over_is_said_to_be(pattern):
    """The pattern's fine part is right all the same; its large-scale part is left out."""
    fine = np.random.default_rng(3).normal(0, 20, (256, 256)).astype(np.float32)
    rng = np.random.default_rng(4)
    spots = rng.uniform((-3, 60, -150), (45, 200, 150), (60, 3))

    def light(i):
        return sum(nebula(i, k, width, peak) for k, width, peak in spots if abs(i - k) < 12)

    with pytest.warns(TwomassWarning, match="only what is finer than 32 pixels"):
        sky = sky_offsets(*sky_of(42, fine, light))
    assert sky.background == (False,)
    assert sky.background_error[0] > 5
    assert "1 without large-scale part" in repr(sky)
    assert np.abs(binned(sky.offset[0])).max() < 6
    assert np.corrcoef(sky.offset[0].ravel(), fine.ravel())[0, 1] > 0.9


def test_a_scan_of_a_few_frames_is_too_short_to_tell(pattern):
    with pytest.warns(TwomassWarning, match="are too few"):
        sky = sky_offsets(*sky_of(5, pattern, lambda i: 0.0))
    assert sky.background == (False,)
    assert np.isinf(sky.background_error[0])


def test_frames_without_a_pixel_of_use_are_left_out(pattern):
    frame, n, *rest = sky_of(16, pattern, lambda i: 0.0)

    def full(i):
        pixels, mask = frame(i)
        return pixels, mask | (i == 3)

    sky = sky_offsets(full, n, *rest)
    assert [str(one) for one in sky.left_out] == ["990502s135 frame 3: no pixel of use"]
    assert 3 not in sky.frames[0]
    assert np.abs(binned(sky.offset[0] - pattern)).max() < 0.6
    with pytest.raises(CalibrationError, match="no frame of 990502s135 has a pixel of use"):
        sky_offsets(lambda i: (frame(i)[0], np.ones((256, 256), bool)), n, *rest)
