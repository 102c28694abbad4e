"""The stars of a scan's frames that positions are measured with: isolated, unsaturated, fitted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from .profile import HALF, fit_profiles, measure_width

if TYPE_CHECKING:
    from ..calibrate import Calibrator
    from ..calibrate.sky import SkyOffsets
    from ..raw import RawScan

__all__ = ["Stars", "measure_stars"]

Floats = NDArray[np.float64]

# Chosen. Of a star: signal to noise; pixels to the next one, half as bright or brighter; its
# largest error, pixels. Of a frame: how many stars, the brightest. Of the filter that shows them:
# sigmas of the two Gaussians, pixels.
_THRESHOLD, _APART, _LARGEST_ERROR = 5.0, 4.0, 0.25
_MOST, _NARROW, _WIDE = 120, 0.6, 1.8
_BORDER = np.ones((2 * HALF + 1, 2 * HALF + 1), bool)
_BORDER[1:-1, 1:-1] = False


class Stars(NamedTuple):
    """Stars on frames; arrays of shape (n,).

    Attributes
    ----------
    frame : array of int
        Which of the frames measured, counted from 0 among those.
    x, y, x_error, y_error : array
        Pixels, counted from 0, and errors.
    flux : array
        DN.
    """

    frame: NDArray[np.int64]
    x: Floats
    y: Floats
    x_error: Floats
    y_error: Floats
    flux: Floats

    def take(self, which: NDArray[np.generic]) -> Stars:
        """Return some of them."""
        return Stars(*(column[which] for column in self))


def measure_stars(
    scan: RawScan, calibrator: Calibrator, frames: NDArray[np.int64], sky: SkyOffsets | None
) -> tuple[Stars, float]:
    """Find and measure the stars of some frames.

    Returns
    -------
    Stars
    float
        FWHM of the stars, pixels.
    """
    width = 2 * HALF + 1
    # one of each to begin with: frames may show nothing at all
    cuts: list[Floats] = [np.zeros((0, 2, width, width))]
    places: list[NDArray[np.int64]] = [np.zeros((0, 2), np.int64)]
    of_frame: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for k, i in enumerate(frames):
        one = calibrator.science(scan, int(i), sky)
        good = ~one.mask & np.isfinite(one.pixels)
        if not good.any():
            continue
        pixels = np.where(good, one.pixels, np.median(one.pixels[good]))
        variance = np.where(good, one.variance, np.float32(np.inf))
        x, y = _isolated(pixels, variance)
        places.append(np.stack([x, y], axis=1))
        cuts.append(np.stack([_cut(pixels, x, y), _cut(variance, x, y)], axis=1))
        of_frame.append(np.full(len(x), k))
    place, cut, frame = np.concatenate(places), np.concatenate(cuts), np.concatenate(of_frame)
    stamps, variances = cut[:, 0], cut[:, 1]
    stamps -= np.median(stamps[:, _BORDER], axis=1)[:, None, None]
    fwhm = measure_width(stamps, variances)
    fits = fit_profiles(stamps, variances, fwhm)
    # a star in a crowd or a nebula is no profile alone, but the same in all frames: it counts less
    more = np.sqrt(np.maximum(fits.misfit, 1))
    found = Stars(
        frame, place[:, 0] + fits.x, place[:, 1] + fits.y, fits.x_error * more,
        fits.y_error * more, fits.flux,
    )  # fmt: skip
    return found.take(np.maximum(found.x_error, found.y_error) < _LARGEST_ERROR), fwhm


def _filtered(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is as narrow as a star: what changes slowly vanishes."""
    from scipy.ndimage import gaussian_filter

    narrow, wide = (gaussian_filter(pixels, s, truncate=3) for s in (_NARROW, _WIDE))
    return np.asarray(narrow - wide)


@cache
def _lessened() -> np.float32:
    """Return by how much the filter lessens white noise."""
    point = np.zeros((33, 33), np.float32)
    point[16, 16] = 1
    return np.float32(np.sqrt((_filtered(point) ** 2).sum()))


def _isolated(
    pixels: NDArray[np.float32], variance: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the brightest pixels (x, y) of the isolated stars of a frame."""
    from scipy.ndimage import maximum_filter

    seen = _filtered(pixels)
    high = seen > np.float32(_THRESHOLD) * _lessened() * np.sqrt(variance)
    y, x = np.nonzero(high & (seen == maximum_filter(seen, 3)))
    order = np.argsort(-seen[y, x])[: 2 * _MOST]
    x, y = x[order], y[order]
    height = seen[y, x]
    near = np.hypot(x[:, None] - x, y[:, None] - y) < _APART
    alone = (near & (height > 0.5 * height[:, None])).sum(axis=1) == 1
    alone &= (np.minimum(x, y) > HALF) & (np.maximum(x, y) < SIZE - 1 - HALF)
    return x[alone][:_MOST], y[alone][:_MOST]


def _cut(image: NDArray[np.float32], x: NDArray[np.int64], y: NDArray[np.int64]) -> Floats:
    """Return the pixels around places, shape (n, 5, 5)."""
    k = np.arange(-HALF, HALF + 1)
    return np.asarray(image[y[:, None, None] + k[:, None], x[:, None, None] + k], float)
