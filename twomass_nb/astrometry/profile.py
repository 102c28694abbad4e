"""Where in its pixels a star is: a profile fitted with the response within pixels.

A star of these frames is hardly wider than a pixel (2 arcsec), and pixels respond unevenly within:
the centroid of what they collect wanders with the place in the pixel. A Gaussian taken through
`twomass_nb.array.response` and fitted to the pixels does so far less (docs/positions.md).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..array.response import PLACES, RESPONSES

__all__ = ["HALF", "Fits", "fit_profiles", "measure_width"]

Floats = NDArray[np.float64]

#: Pixels on each side of the middle one that a profile is fitted to.
HALF = 2
_PIXELS = (2 * HALF + 1) ** 2
# The real profile is no Gaussian: what it misses, as a share of a pixel's own signal. Chosen.
_MISFIT = 0.02
_STEPS, _LONGEST = 6, 0.4  # of Gauss-Newton, and the longest in pixels
_SIGMA = 1 / np.sqrt(8 * np.log(2))  # of a FWHM of 1
# Widths tried, FWHM in pixels: from stars that are points to those far out of focus.
_WIDTHS = np.arange(0.9, 3.01, 0.15)
_ENOUGH = 200  # stars that tell the width


class Fits(NamedTuple):
    """Profiles fitted to stars; all arrays of shape (n,).

    Attributes
    ----------
    x, y : array
        Pixels, counted from 0.
    x_error, y_error : array
        Of the noise alone.
    flux : array
        DN.
    misfit : array
        Chi squared a degree of freedom.
    """

    x: Floats
    y: Floats
    x_error: Floats
    y_error: Floats
    flux: Floats
    misfit: Floats


def _shares(center: Floats, fwhm: float) -> tuple[Floats, Floats]:
    """Return the share of a star in each pixel of a row, and its change with the center; (n, 5)."""
    from scipy.special import ndtr

    edges = np.arange(-HALF, HALF + 1)[:, None] + PLACES
    z = (edges - center[:, None, None]) / (fwhm * _SIGMA)
    shares = np.diff(ndtr(z), axis=-1) @ RESPONSES
    density = np.exp(-0.5 * z * z) / (np.sqrt(2 * np.pi) * fwhm * _SIGMA)
    return shares, -np.diff(density, axis=-1) @ RESPONSES


def fit_profiles(stamps: Floats, variances: Floats, fwhm: float) -> Fits:
    """Fit place, flux and background of stars.

    Parameters
    ----------
    stamps, variances : array, shape (n, 5, 5)
        Pixels around each star and their variances, infinite where a pixel is not to be used.
    fwhm : float
        Pixels.

    Returns
    -------
    Fits
        x and y from the middle of the middle pixel; errors are infinite where there is no fit.
    """
    n = len(stamps)
    data = np.where(np.isfinite(variances), stamps, 0.0).reshape(n, _PIXELS)
    weight = 1 / (variances.reshape(n, _PIXELS) + (_MISFIT * data) ** 2)
    x, y = np.zeros(n), np.zeros(n)
    solution = np.zeros((n, 4))
    for step in range(_STEPS):
        (px, dx), (py, dy) = _shares(x, fwhm), _shares(y, fwhm)
        shape, by_x, by_y = (
            (b[:, :, None] * a[:, None, :]).reshape(n, _PIXELS)
            for a, b in ((px, py), (dx, py), (px, dy))
        )
        flux = solution[:, :1] if step else data.max(axis=1, keepdims=True) / shape.max(1)[:, None]
        terms = np.stack([shape, flux * by_x, flux * by_y, np.ones_like(shape)], axis=-1)
        normal = np.einsum("npi,np,npj->nij", terms, weight, terms)
        normal[:, range(4), range(4)] += 1e-12 * (1 + normal[:, range(4), range(4)])
        # the flux and the background are linear; the place moves from where it is
        covariance = np.linalg.inv(normal)
        solution = np.einsum("nij,npj,np->ni", covariance, terms, weight * data)
        x += np.clip(solution[:, 1], -_LONGEST, _LONGEST)
        y += np.clip(solution[:, 2], -_LONGEST, _LONGEST)
        x, y = np.clip(x, -HALF, HALF), np.clip(y, -HALF, HALF)
    model = np.einsum("npj,nj->np", terms, solution)
    chi2 = ((data - model) ** 2 * weight).sum(axis=1)
    used = (weight > 0).sum(axis=1)
    error = np.sqrt(np.einsum("nii->ni", covariance))
    lost = (used < 15) | (np.abs(x) > 1) | (np.abs(y) > 1) | ~(solution[:, 0] > 0)
    ex, ey = (np.where(lost, np.inf, error[:, k]) for k in (1, 2))
    return Fits(x, y, ex, ey, solution[:, 0], chi2 / np.maximum(used - 4, 1))


def measure_width(stamps: Floats, variances: Floats) -> float:
    """Return the FWHM (pixels) of the Gaussian that fits stars best; see `fit_profiles`."""
    if not len(stamps):
        return float(_WIDTHS[len(_WIDTHS) // 3])
    brightest = np.argsort(-stamps[:, HALF, HALF])[:_ENOUGH]
    stamps, variances = stamps[brightest], variances[brightest]
    misfit = [np.median(fit_profiles(stamps, variances, width).misfit) for width in _WIDTHS]
    k = int(np.clip(np.argmin(misfit), 1, len(_WIDTHS) - 2))
    a, b, c = misfit[k - 1 : k + 2]
    bent = a - 2 * b + c
    shift = np.clip((a - c) / (2 * bent), -1, 1) if bent > 0 else 0.0
    return float(_WIDTHS[k] + shift * (_WIDTHS[1] - _WIDTHS[0]))
