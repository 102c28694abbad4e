"""Where a picture may have stars: peaks of it seen through a filter as wide as a star."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .spread import FWHM_SIGMA

__all__ = ["filtered", "peaks"]

#: Sigma of the wide Gaussian that is taken off the narrow one, in sigmas of the narrow one: what
#: changes slowly vanishes.
_WIDE = 2.5
_REACH = 3.0
_ENOUGH = 0.5  # share of the filter's light that must fall on good pixels


def _kernel(sigma: float) -> NDArray[np.float32]:
    half = max(1, math.ceil(_REACH * sigma))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return (kernel / kernel.sum()).astype(np.float32)


def filtered(
    data: NDArray[np.float32], good: NDArray[np.bool_], fwhm: float
) -> tuple[NDArray[np.float32], float]:
    """Return a picture through the filter, and by how much the filter lessens white noise.

    Parameters
    ----------
    data : array, shape (rows, columns)
        Above its background; 0 where not good.
    good : array of bool
    fwhm : float
        Of a star, pixels.
    """
    sigma = fwhm / FWHM_SIGMA
    narrow, wide = _kernel(sigma), _kernel(_WIDE * sigma)
    seen = _shared(data, good, narrow) - _shared(data, good, wide)
    inner = np.outer(wide, wide)
    cut = (len(wide) - len(narrow)) // 2
    inner[cut : len(wide) - cut, cut : len(wide) - cut] -= np.outer(narrow, narrow)
    return seen, float(np.sqrt((inner**2).sum()))


def _shared(
    data: NDArray[np.float32], good: NDArray[np.bool_], kernel: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Convolve, the weight of pixels that are not good given to the others."""
    blurred = _blur(data, kernel)
    if good.all():
        return blurred
    weight = _blur(good.astype(np.float32), kernel)
    return np.where(weight > _ENOUGH, blurred / np.maximum(weight, _ENOUGH), 0)


def _blur(data: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.ndimage import correlate1d

    return correlate1d(correlate1d(data, kernel, 0, mode="nearest"), kernel, 1, mode="nearest")


def peaks(
    seen: NDArray[np.float32], noise: NDArray[np.float32] | float, good: NDArray[np.bool_]
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

    high = (seen > noise) & good
    if not high.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    y, x = np.nonzero(high & (seen == maximum_filter(seen, size=3, mode="nearest")))
    return y, x
