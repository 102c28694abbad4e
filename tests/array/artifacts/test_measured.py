"""Numbers with their uncertainty: how they are written, and frames put together."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.array.artifacts import DN, FixedPattern, Measured, quadrants
from twomass_nb.array.artifacts.measured import rms_without_noise
from twomass_nb.array.artifacts.stacking import clipped_mean


def test_numbers_are_written_to_two_figures_of_their_error():
    one = Measured([18.2345, -3.0, np.nan] * DN, [0.123, 0.0456, np.nan] * DN)
    assert one.texts() == ["18.23 ± 0.12 DN", "−3.000 ± 0.046 DN", "not measured"]
    assert str(Measured(41.4 * u.pix, 0.0312 * u.pix)) == "41.400 ± 0.031 pixel"


@given(st.floats(0, 100), st.floats(1e-3, 10))
def test_a_root_and_its_error_agree_with_the_power(power, spread):
    one = rms_without_noise(power, spread)
    low, high = one.value.value - 2 * one.error.value, one.value.value + 2 * one.error.value
    assert max(low, 0) ** 2 <= max(power - 2 * spread, 0) * (1 + 1e-9) + 1e-9
    assert high**2 >= (power + 2 * spread) * (1 - 1e-9)


def test_quadrants_are_named_in_order():
    y, x = np.mgrid[:256, :256]
    parts = quadrants(2 * (y // 128) + x // 128)
    assert parts.shape == (4, 128, 128)
    assert [set(part.ravel()) for part in parts] == [{0}, {1}, {2}, {3}]
    assert quadrants(np.stack([y, x]))[1, 1, 5, 7] == 135


@pytest.mark.parametrize("n", [12, 24, 48])
def test_the_error_of_a_clipped_mean_is_honest_also_for_few_values(n):
    values = np.random.default_rng(n).normal(3, 5, (20_000, n))
    mean, error = clipped_mean(values, clip=5.0)
    assert np.mean(np.abs(mean - 3) <= 2 * error) == pytest.approx(0.95, abs=0.012)


def test_a_drifting_sky_is_no_scatter():
    rng = np.random.default_rng(0)
    frames = rng.normal(0, 4, (20, 2, 256, 256)) + np.reshape([9000, 9400], (2, 1, 1))
    frames[:, 1] += 50 * np.arange(20)[:, None, None]
    pattern = FixedPattern(np.rint(frames).astype(np.uint16))
    assert np.median(pattern.difference.error) == pytest.approx(4 * np.sqrt(2 / 20), rel=0.1)
    assert np.median(pattern.difference.mean) == pytest.approx(400 + 50 * 9.5, abs=1)
    assert np.median(pattern.start.mean) == pytest.approx(9000 - 875 * 0.052 / 1.298, abs=1)
