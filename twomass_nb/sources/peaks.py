"""Where a picture may have stars: peaks of it seen through a filter as wide as a star."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .spread import FWHM_SIGMA

__all__ = ["filled", "filtered", "peaks"]

#: Sigma of the wide Gaussian that is taken off the narrow one, in sigmas of the narrow one: what
#: changes slowly vanishes.
_WIDE = 2.5
_REACH = 3.0
_AROUND = 2  # pixels about a hole that fill it


def _kernel(sigma: float) -> NDArray[np.float32]:
    half = max(1, math.ceil(_REACH * sigma))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return (kernel / kernel.sum()).astype(np.float32)


def filled(data: NDArray[np.float32], good: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a picture with its small holes filled, so that stars with one are still single peaks.

    A lone pixel takes the weighted mean of good ones around it. Pixels of a larger hole take the
    highest: it may be the saturated middle of a star. What is still larger is 0.
    """
    y, x = np.nonzero(~good)
    if not len(y):
        return data
    k = np.arange(-_AROUND, _AROUND + 1)
    padded = np.pad(data, _AROUND)
    usable = np.pad(good, _AROUND)
    at = y[:, None, None] + k[:, None] + _AROUND, x[:, None, None] + k + _AROUND
    weight = usable[at] / np.maximum(k[:, None] ** 2 + k**2, 1) ** 2
    around = np.where(usable[at], padded[at], 0)
    mean = (around * weight).sum(axis=(1, 2)) / np.maximum(weight.sum(axis=(1, 2)), 1e-6)
    lone = (~usable[at][:, 1:-1, 1:-1]).sum(axis=(1, 2)) == 1
    out = data.copy()
    out[y, x] = np.where(lone, mean, around.max(axis=(1, 2)))
    return out


def filtered(data: NDArray[np.float32], fwhm: float) -> tuple[NDArray[np.float32], float]:
    """Return a picture through the filter, and by how much the filter lessens white noise.

    Parameters
    ----------
    data : array, shape (rows, columns)
        Above its background.
    fwhm : float
        Of a star, pixels.
    """
    sigma = fwhm / FWHM_SIGMA
    narrow, wide = _kernel(sigma), _kernel(_WIDE * sigma)
    both = np.outer(wide, wide)
    inner = slice((len(wide) - len(narrow)) // 2, (len(wide) + len(narrow)) // 2)
    both[inner, inner] -= np.outer(narrow, narrow)
    return _blur(data, narrow) - _blur(data, wide), float(np.sqrt((both**2).sum()))


def _blur(data: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.ndimage import correlate1d

    return correlate1d(correlate1d(data, kernel, 0, mode="nearest"), kernel, 1, mode="nearest")


def peaks(
    seen: NDArray[np.float32], noise: NDArray[np.float32] | float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return y and x of pixels that are higher than those around and than the noise.

    Parameters
    ----------
    seen : array
        Picture through the filter.
    noise : array or float
        What a peak must be higher than.
    """
    from scipy.ndimage import maximum_filter

    high = seen > noise
    if not high.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    y, x = np.nonzero(high & (seen == maximum_filter(seen, size=3, mode="nearest")))
    return y, x
