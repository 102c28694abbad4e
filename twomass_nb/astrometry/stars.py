"""The stars of a scan's frames that positions are measured with: isolated, unsaturated, fitted."""

from __future__ import annotations

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

# Chosen. Noises of a star's brightest pixels; stars of a frame, the brightest of them; pixels to
# the next star, half as bright or brighter; and what a profile may miss.
_THRESHOLD, _MOST, _APART, _WORST = 5.0, 120, 4.0, 8.0
_LARGEST_ERROR = 0.25  # pixels


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
        one = calibrator.science(scan, i, sky)
        unusable = one.mask | ~np.isfinite(one.pixels)
        variance = np.where(unusable, np.inf, one.variance)
        pixels = np.where(unusable, np.median(one.pixels[~unusable]), one.pixels)
        x, y = find_peaks(pixels, variance)
        places.append(np.stack([x, y], axis=1))
        cuts.append(np.stack([_cut(pixels, x, y), _cut(variance, x, y)], axis=1))
        of_frame.append(np.full(len(x), k))
    place, cut, frame = (np.concatenate(parts) for parts in (places, cuts, of_frame))
    stamps, variances = cut[:, 0], cut[:, 1]
    fwhm = measure_width(stamps, variances)
    fits, _ = fit_profiles(stamps, variances, fwhm)
    good = (np.maximum(fits.x_error, fits.y_error) < _LARGEST_ERROR) & (fits.misfit < _WORST)
    found = Stars(
        frame, place[:, 0] + fits.x, place[:, 1] + fits.y, fits.x_error, fits.y_error, fits.flux
    )
    return found.take(good), fwhm


def find_peaks(pixels: Floats, variance: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the brightest pixels (x, y) of the isolated stars of a frame."""
    from scipy.ndimage import gaussian_filter, maximum_filter, median_filter

    level = median_filter(pixels[2::4, 2::4], 9, mode="nearest").repeat(4, 0).repeat(4, 1)
    smooth = gaussian_filter(pixels - level, 0.7)
    noise = 1.4826 * np.median(np.abs(smooth - np.median(smooth)))
    top = maximum_filter(smooth, 3)
    y, x = np.nonzero((smooth == top) & (smooth > _THRESHOLD * noise))
    height = smooth[y, x]
    order = np.argsort(-height)[: 2 * _MOST]
    x, y, height = x[order], y[order], height[order]
    near = np.hypot(x[:, None] - x, y[:, None] - y) < _APART
    near &= height > 0.5 * height[:, None]
    edge = HALF + 1
    keep = (near.sum(axis=1) == 1) & (np.minimum(x, y) >= edge)
    keep &= (np.maximum(x, y) < SIZE - edge) & np.isfinite(variance[y, x])
    return x[keep][:_MOST], y[keep][:_MOST]


def _cut(image: Floats, x: NDArray[np.int64], y: NDArray[np.int64]) -> Floats:
    """Return the pixels around places, shape (n, 5, 5)."""
    k = np.arange(-HALF, HALF + 1)
    return np.asarray(image[y[:, None, None] + k[:, None], x[:, None, None] + k], float)
