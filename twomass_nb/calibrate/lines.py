"""How a straight line is fitted to each pixel of many frames at once, without its outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "fit_lines"]

# Residuals of so many standard deviations are left out; rounds until they settle.
_CLIP, _ROUNDS = 5.0, 3
_FEWEST = 4
# Where to start: within this share of the median ratio of y to x, of so many frames or more.
_ROUGHLY, _SAMPLE = 0.05, 15


@dataclass(frozen=True)
class Lines:
    """Slopes of pixels; arrays of shape (pixels,) but for `good`.

    Attributes
    ----------
    slope, error : array
        NaN where too few values are left.
    good : array of bool, shape (frames, pixels)
        The values used.
    high : array of int, shape (frames,)
        Values left out for being too high: stars.
    low : array of int, shape (frames,)
        The same for being too low.
    """

    slope: NDArray[np.float64]
    error: NDArray[np.float64]
    good: NDArray[np.bool_]
    high: NDArray[np.int64]
    low: NDArray[np.int64]


def fit_lines(
    x: NDArray[Any],
    y: NDArray[Any],
    sigma: NDArray[Any],
    allow: NDArray[Any],
    good: NDArray[np.bool_] | None = None,
) -> Lines:
    """Fit y = a + b x in every pixel: weighted least squares in closed form.

    Parameters
    ----------
    x, sigma : array, shape (frames,)
        The abscissa, the same for all pixels and positive, and the expected standard deviation
        of a value.
    y : array, shape (frames, pixels)
    allow : array, shape (pixels,)
        How many times more than `sigma` the values of a pixel may scatter.
    good : array of bool, shape (frames, pixels), optional
        Values to use, if they are known; otherwise outliers are found.

    Returns
    -------
    Lines
        Errors follow from the scatter that each pixel has about its line.
    """
    weight = 1.0 / np.asarray(sigma, float) ** 2
    t = x - np.average(x, weights=weight)
    sums = np.stack([weight, weight * t, weight * t**2])
    limit = (_CLIP * sigma)[:, None] * allow
    rounds = 1 if good is not None else _ROUNDS
    use = _near_ratio(x, y, limit) if good is None else good
    for turn in range(rounds):
        filled = np.where(use, y, 0.0)
        sw, swt, swtt = sums @ use
        swy, swty = sums[:2] @ filled
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = swtt - swt**2 / sw
            slope = (swty - swt * swy / sw) / spread
            residual = y - ((swy - slope * swt) / sw + t[:, None] * slope)
        if turn < rounds - 1:
            use = np.abs(residual) < limit
    n = np.count_nonzero(use, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = np.einsum("i,ij,ij->j", weight, residual**2, use) / (n - 2)
        error = np.sqrt(chi2 / spread)
    lost = n < max(_FEWEST, len(t) // 2)
    slope[lost], error[lost] = np.nan, np.nan
    out = ~use
    return Lines(slope, error, use, (out & (residual > 0)).sum(1), (out & (residual <= 0)).sum(1))


def _near_ratio(x: NDArray[Any], y: NDArray[Any], limit: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which values are roughly in proportion: a very bright star would draw the first line."""
    some = slice(None, None, max(len(x) // _SAMPLE, 1))
    ratio = np.median(y[some] / x[some, None], axis=0)
    line = x[:, None] * ratio
    near: NDArray[np.bool_] = np.abs(y - line) < limit + _ROUGHLY * np.abs(line)
    return near
