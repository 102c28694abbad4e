"""Places of undersampled stars: no worse than their noise, whatever the place in the pixel."""

from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.array.response import star_pixels
from twomass_nb.astrometry.profile import HALF, fit_profiles, measure_width


def stars(n, fwhm, noise=0.0, flux=10_000.0, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-0.5, 0.5, (2, n))
    stamps = np.array([flux * star_pixels(b, a, fwhm, HALF) for a, b in zip(x, y, strict=True)])
    stamps += noise * rng.standard_normal(stamps.shape)
    return x, y, stamps, np.full(stamps.shape, max(noise, 1.0) ** 2)


@pytest.mark.parametrize("fwhm", [1.1, 1.5, 2.2])
def test_places_are_exact_without_noise(fwhm):
    x, y, stamps, variances = stars(200, fwhm)
    found = fit_profiles(stamps, variances, fwhm)
    assert found.x == pytest.approx(x, abs=1e-4)
    assert found.y == pytest.approx(y, abs=1e-4)
    assert found.flux == pytest.approx(10_000, rel=1e-3)


def test_the_centre_of_light_wanders_with_the_place_in_the_pixel():
    x, _, stamps, variances = stars(500, 1.2)
    k = np.arange(-HALF, HALF + 1)
    centre = (stamps.sum(axis=1) @ k) / stamps.sum(axis=(1, 2))
    fitted = fit_profiles(stamps, variances, 1.2)
    assert np.abs(centre - x).max() > 20 * np.abs(fitted.x - x).max()


def test_errors_are_those_of_the_noise():
    x, y, stamps, variances = stars(2000, 1.3, noise=60.0)
    found = fit_profiles(stamps, variances, 1.3)
    off = np.concatenate([(found.x - x) / found.x_error, (found.y - y) / found.y_error])
    assert off.std() == pytest.approx(1, abs=0.15)
    assert np.mean(np.abs(off) < 2) == pytest.approx(0.95, abs=0.03)


def test_pixels_that_are_not_to_be_used_are_not():
    x, _, stamps, variances = stars(100, 1.5)
    stamps[:, 1, 2], variances[:, 1, 2] = 1e6, np.inf
    found = fit_profiles(stamps, variances, 1.5)
    assert found.x == pytest.approx(x, abs=1e-3)


def test_a_star_with_too_few_pixels_has_no_place():
    *_, stamps, variances = stars(1, 1.5)
    variances[:, :3] = np.inf
    assert np.isinf(fit_profiles(stamps, variances, 1.5).x_error).all()


@pytest.mark.parametrize("fwhm", [1.1, 1.5, 2.2])
def test_the_width_is_measured(fwhm):
    *_, stamps, variances = stars(100, fwhm, noise=30.0)
    assert measure_width(stamps, variances) == pytest.approx(fwhm, abs=0.05)
