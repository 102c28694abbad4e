"""Backgrounds that differ by a constant come to agree, whatever the sky under them."""

from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.coadd.background import match_backgrounds
from twomass_nb.coadd.layers import combine


@pytest.mark.parametrize("seed", range(10))
def test_offsets_put_in_come_back(strips, seed):
    rng = np.random.default_rng(seed)
    levels = rng.uniform(-500, 500, rng.integers(2, 10))
    frames, _ = strips(levels, noise=2.0, seed=seed)
    # the median of an overlap of 59 x 120 pixels, a sixteenth of them looked at
    np.testing.assert_allclose(match_backgrounds(frames), levels - levels.mean(), atol=0.5)


def test_neither_stars_nor_a_nebula_move_them(strips):
    levels = [3.0, -5.0, 8.0, 0.0, -6.0]
    y, x = np.mgrid[:264, :120]
    nebula = 400 * np.exp(-((x - 40) ** 2 + (y - 130) ** 2) / (2 * 45**2))
    nebula[::9, ::7] += 5000
    frames, _ = strips(levels, noise=1.0, sky=nebula)
    np.testing.assert_allclose(match_backgrounds(frames), levels, atol=0.5)


def test_frames_that_nothing_links_keep_their_level(strips):
    frames, _ = strips([10.0] * 9, noise=1.0)
    apart = [frames[0], frames[1], frames[7], frames[8]]
    np.testing.assert_allclose(match_backgrounds(apart), 0, atol=0.4)
    assert match_backgrounds([frames[0]]) == 0


def test_a_pixel_is_the_average_of_its_frames_with_the_error_of_one(strips):
    frames, shape = strips([7.0] * 6, noise=3.0)
    made = combine(frames, np.zeros(6), shape)
    assert made.data.shape == made.uncertainty.shape == made.coverage.shape == shape
    np.testing.assert_array_equal(made.coverage[:, 0], np.bincount(
        np.concatenate([np.arange(41 * k, 41 * k + 100) for k in range(6)])
    ))  # fmt: skip
    np.testing.assert_allclose(made.uncertainty, 3 / np.sqrt(made.coverage), rtol=0.02)
    pull = (made.data - 7) / made.uncertainty
    assert np.std(pull) == pytest.approx(1, abs=0.02)
    assert made.streaks == 0


def test_what_one_frame_alone_shows_is_left_out(strips):
    frames, shape = strips([0.0] * 8, noise=1.0)
    frames[4].values[30:32, 60:62] += 300
    made = combine(frames, np.zeros(8), shape)
    row = frames[4].first + 30
    assert abs(made.data[row, 60]) < 4
    assert made.coverage[row, 60] == made.coverage[row, 20] - 1
    kept = combine(frames, np.zeros(8), shape, transients=False)
    assert kept.data[row, 60] > 50


def test_pixels_without_a_frame_are_nan(strips):
    frames, shape = strips([1.0, 1.0])
    made = combine(frames, np.zeros(2), (shape[0] + 50, shape[1]))
    assert np.isnan(made.data[-50:]).all()
    assert np.isnan(made.uncertainty[-50:]).all()
    assert (made.coverage[-50:] == 0).all()
