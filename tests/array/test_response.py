"""A pixel's response, and what of a star's light it and a dither leave."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.array import ArrayGeometry
from twomass_nb.array.response import harmonics, response, star_pixels, star_response
from twomass_nb.array.sampling import brightness_scatter, column_signal, distinct_places
from twomass_nb.simulate.sky import _SPREAD, render_stars

WIDTHS = st.floats(0.6, 2.5)
PLACES = st.floats(-3, 3)


def test_edges_are_blind_and_the_middle_is_weaker():
    """Seed 000; and the mean over a pixel is 1."""
    assert response(0.49) == response(-0.5) == response(7.499) == 0
    assert 0 < response(0.0) < response(0.3) == response(12.3) == response(-0.3)
    assert response(np.linspace(-0.5, 0.5, 100_001)).mean() == pytest.approx(1, abs=1e-4)


@given(PLACES, PLACES, WIDTHS)
def test_the_series_is_the_integral_over_all_pixels(along, across, fwhm):
    fine = np.linspace(-12, 12, 24_001)
    sigma = fwhm / np.sqrt(8 * np.log(2))

    def seen(place):
        profile = np.exp(-((fine - place) ** 2) / (2 * sigma**2))
        return (profile * response(fine)).sum() / profile.sum()

    expected = seen(along) * seen(across)
    assert star_response(along, across, fwhm) == pytest.approx(expected, abs=2e-3)


def test_the_simulator_paints_the_same_star():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(20, 21, (2, 30))
    scale = 1.9839
    painted = np.array(
        [
            render_stars((41, 41), a, b, 1.0, scale, within=True).sum()
            for a, b in zip(x, y, strict=True)
        ]
    )
    shares = [(share, star_response(y, x, fwhm / scale)) for share, fwhm in _SPREAD[:-1]]
    expected = sum(share * signal for share, signal in shares)
    np.testing.assert_allclose(painted, expected, rtol=1e-3)


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), WIDTHS)
def test_the_pixels_around_a_star_share_its_signal(along, across, fwhm):
    pixels = star_pixels(along, across, fwhm, 6)
    assert pixels.sum() == pytest.approx(float(star_response(along, across, fwhm)), abs=1e-5)
    mirrored = star_pixels(-along, -across, fwhm, 6)[::-1, ::-1]
    np.testing.assert_allclose(pixels, mirrored, atol=1e-12)


@given(st.integers(0, 2**31), st.integers(1, 8), WIDTHS)
def test_the_scatter_is_that_over_all_starts(seed, n, fwhm):
    rng = np.random.default_rng(seed)
    phases = rng.random((n, 2))
    grid = np.stack(np.meshgrid(*[np.arange(16) / 16] * 2), -1).reshape(-1, 1, 2)
    means = star_response(*np.moveaxis(grid + phases, -1, 0), fwhm).mean(-1)
    assert brightness_scatter(phases, fwhm) == pytest.approx(means.std(), rel=1e-6, abs=1e-9)


@given(st.integers(0, 2**31), st.integers(1, 8), WIDTHS)
def test_counts_along_the_columns_are_the_mean_over_the_rows(seed, n, fwhm):
    rng = np.random.default_rng(seed)
    phases, across = rng.random((n, 2)), rng.random(5)
    rows = np.arange(16)[:, None, None] / 16
    seen = star_response(rows + phases[:, 0], across[:, None] + phases[:, 1], fwhm)
    np.testing.assert_allclose(column_signal(across, phases, fwhm), seen.mean((0, 2)), atol=1e-9)


def test_an_even_dither_takes_the_first_harmonics_away():
    even = np.stack([np.arange(6) / 6, (np.arange(6) * 5 % 6) / 6], axis=1)
    still = np.zeros((6, 2))
    assert brightness_scatter(even, 0.7) < 0.2 * brightness_scatter(still, 0.7)
    assert harmonics(0.7)[0] == 1


@given(st.integers(0, 2**31), st.integers(1, 8))
def test_distinct_places_do_not_depend_on_where_one_starts_or_counts(seed, n):
    rng = np.random.default_rng(seed)
    phases = rng.random((n, 2))
    value = distinct_places(phases)
    assert 1 <= value <= n + 1e-9
    assert distinct_places(phases + rng.random(2)) == pytest.approx(value)
    assert distinct_places(phases[::-1] + rng.integers(-5, 5, (n, 2))) == pytest.approx(value)
    assert distinct_places(np.tile(phases[:1], (n, 1))) == pytest.approx(1)


def test_chesters_judgement():
    """82.80 arcsec in Ks: "effectively 4 distinct" of 6 (T. Chester, 2 June 1997)."""
    ks = ArrayGeometry(1.9839 * u.arcsec, 0.335 * u.deg)
    assert round(float(distinct_places(ks.phases(82.80 * u.arcsec)))) == 4


def test_ks_in_the_south_leaves_the_most_across_the_columns():
    """Its dither of .8 pixel over the array is why counts vary with dist_edge_ew (seed 000)."""
    across = np.linspace(0, 1, 100)
    swing = {
        (period, band): np.ptp(
            column_signal(across, ArrayGeometry.preset(period, band).phases(82.2 * u.arcsec), 1.15)
        )
        for period in ("North1", "North2", "South")
        for band in "jhk"
    }
    assert max(swing, key=swing.get) == ("South", "k")
