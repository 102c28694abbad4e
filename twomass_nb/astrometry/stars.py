"""The stars of a scan's frames that positions are measured with: isolated, unsaturated, fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..sources.background import background
from ..sources.peaks import filtered, peaks
from .profile import HALF, fit_profiles, measure_width

if TYPE_CHECKING:
    from ..calibrate import Calibrator
    from ..calibrate.sky import SkyOffsets
    from ..raw import RawScan

__all__ = ["Stars", "measure_stars"]

Floats = NDArray[np.float64]

# Chosen. Of a star: signal to noise; pixels to the next one, half as bright or brighter; what its
# profile may miss (chi squared a degree of freedom); its largest error, pixels. Of a frame: how
# many stars, the brightest; how wide about (FWHM, pixels); the boxes of its background.
_THRESHOLD, _APART, _WORST, _LARGEST_ERROR = 5.0, 4.0, 8.0, 0.25
_MOST, _FWHM, _BOX = 120, 1.4, 32


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
    cuts, places, of_frame = [], [], []
    for k, i in enumerate(frames):
        one = calibrator.science(scan, int(i), sky)
        good = ~one.mask & np.isfinite(one.pixels)
        above = np.where(good, one.pixels, 0)
        above = np.where(good, above - background(above, good, _BOX), 0)
        variance = np.where(good, one.variance, np.inf)
        x, y = _isolated(above, good, variance)
        places.append(np.stack([x, y], axis=1))
        cuts.append(np.stack([_cut(above, x, y), _cut(variance, x, y)], axis=1))
        of_frame.append(np.full(len(x), k))
    place, cut, frame = (np.concatenate(parts) for parts in (places, cuts, of_frame))
    stamps, variances = cut[:, 0], cut[:, 1]
    fwhm = measure_width(stamps, variances)
    fits = fit_profiles(stamps, variances, fwhm)
    good = (np.maximum(fits.x_error, fits.y_error) < _LARGEST_ERROR) & (fits.misfit < _WORST)
    right, up = place[:, 0] + fits.x, place[:, 1] + fits.y
    return Stars(frame, right, up, fits.x_error, fits.y_error, fits.flux).take(good), fwhm


def _isolated(
    above: NDArray[np.float32], good: NDArray[np.bool_], variance: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the brightest pixels (x, y) of the isolated stars of a frame."""
    seen, lessened = filtered(above, good, _FWHM)
    noise = np.sqrt(variance, where=good, out=np.ones_like(variance))
    y, x = peaks(seen, _THRESHOLD * lessened * noise, good)
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
