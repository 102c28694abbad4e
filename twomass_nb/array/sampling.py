"""How well a dither samples the pixels: numbers for where a star falls in successive frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .response import harmonics

__all__ = ["brightness_scatter", "column_signal", "distinct_places"]

# Two places count as the same in part, by a Gaussian of this width in pixels. Chosen: of the
# Ks patterns T. Chester judged in 1997, that of 82.80 arcsec has "effectively 4" dithers of 6; this
# makes them 3.7, and six that are spread evenly over the pixel 5.9.
_SAME = 0.12
_HIGHEST = 3  # harmonics of the response that a star of any real width leaves


def distinct_places(phases: NDArray[np.float64]) -> Any:
    """Return on how many really different places in a pixel a star falls.

    Parameters
    ----------
    phases : array, shape (..., n, 2)
        Places in pixels, along and across; whole pixels do not count. See
        `ArrayGeometry.phases`.

    Returns
    -------
    float or array
        From 1 (always the same place) to nearly n (all well apart).
    """
    apart = phases[..., :, None, :] - phases[..., None, :, :]
    apart = apart - np.rint(apart)  # the next pixel begins where this one ends
    same = np.exp(-(apart**2).sum(-1) / (2 * _SAME**2))
    return phases.shape[-2] ** 2 / same.sum((-1, -2))


def brightness_scatter(phases: NDArray[np.float64], fwhm: float) -> Any:
    """Return how much a star's mean signal over the frames depends on where the first one falls.

    The signal is a Fourier series in the place (`harmonics`). In the mean over the frames each of
    its terms is multiplied by the mean of ``exp(2 pi i (k along + m across))``: a dither takes a
    term away as far as it spreads the frames evenly over the term's period.

    Parameters
    ----------
    phases : array, shape (..., n, 2)
        As for `distinct_places`.
    fwhm : float
        Width of the star, taken as a Gaussian, in pixels.

    Returns
    -------
    float or array
        Standard deviation over all places of the first frame, relative to the mean.
    """
    c = harmonics(fwhm)
    variance = np.zeros(phases.shape[:-2])
    for k in range(-_HIGHEST, _HIGHEST + 1):
        for m in range(-_HIGHEST, _HIGHEST + 1):
            if k or m:
                left = np.abs(_mean_wave(phases, k, m))
                variance = variance + (c[abs(k)] * c[abs(m)] * left) ** 2
    return np.sqrt(variance)[()]


def column_signal(
    across: NDArray[np.float64], phases: NDArray[np.float64], fwhm: float
) -> NDArray[np.float64]:
    """Return the mean signal of many stars by where across the columns their first frame falls.

    Where along a column it falls is a matter of chance and averages out.

    Parameters
    ----------
    across : array
        Pixels.
    phases : array, shape (n, 2)
        As for `distinct_places`.
    fwhm : float
        Width of the stars, taken as Gaussians, in pixels.

    Returns
    -------
    array
        Relative to the mean.
    """
    signal = np.ones(across.shape)
    for m, term in enumerate(harmonics(fwhm)[1 : _HIGHEST + 1], start=1):
        wave = np.exp(2j * np.pi * m * across) * _mean_wave(phases, 0, m)
        signal += 2 * term * wave.real
    return signal


def _mean_wave(phases: NDArray[np.float64], k: int, m: int) -> Any:
    return np.exp(2j * np.pi * (k * phases[..., 0] + m * phases[..., 1])).mean(-1)
