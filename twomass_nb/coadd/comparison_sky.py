"""Between the stars: the level of two images against each other, and the noise of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .comparison_grid import Pair

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["BOX", "Background", "Noise", "between", "compared", "noise_of"]

#: Side of the boxes that show large-scale structure, pixels.
BOX = 32
_LEAST = 0.2  # share of a box between the stars that its median takes
# Radius that is left out around a star: at the faintest, and more for each factor of ten.
_AROUND, _MORE = 5.0, 4.0
_SMOOTH = 25  # pixels: what is larger than this is no noise
_LAGS = 8
_CLIP = 4.0


@dataclass(frozen=True, eq=False)
class Background:
    """Ours less the real image between the stars, DN.

    Attributes
    ----------
    median, median_error : float
        The error is from the scatter of the boxes.
    rms : float
        Per pixel, about the median.
    matched_rms : float
        The same after stars were made equally wide in both.
    boxes : array
        Medians of boxes of `BOX` pixels less that of all; NaN where stars leave too little.
    boxes_rms, boxes_max : float
        Of these.
    boxes_noise : float
        What the noise of pixels alone would make of `boxes_rms`.
    """

    median: float
    median_error: float
    rms: float
    matched_rms: float
    boxes: NDArray[np.float64]
    boxes_rms: float
    boxes_max: float
    boxes_noise: float


@dataclass(frozen=True)
class Noise:
    """Noise of an image between the stars.

    Attributes
    ----------
    sigma : float
        Standard deviation of a pixel, DN.
    error : float
        Of sigma.
    correlation : tuple of float
        Between pixels 1, 2 ... apart, along x and y averaged.
    length : float
        Distance in pixels at which it falls to 1/e.
    """

    sigma: float
    error: float
    correlation: tuple[float, ...]
    length: float


def between(found: QTable, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels have no star on them: more is left out around brighter ones."""
    clear = good.copy()
    flux = np.asarray(found["flux"], float)
    if len(flux) == 0:
        return clear
    faint = max(np.percentile(flux, 5), 1e-9)
    radii = _AROUND + _MORE * np.log10(np.maximum(flux / faint, 1))
    rows, columns = good.shape
    for x, y, radius in zip(np.asarray(found["x"]), np.asarray(found["y"]), radii, strict=True):
        low, high = max(0, int(y - radius)), max(0, min(rows, int(y + radius) + 2))
        left, right = max(0, int(x - radius)), max(0, min(columns, int(x + radius) + 2))
        ay, ax = np.ogrid[low:high, left:right]
        clear[low:high, left:right] &= (ax - x) ** 2 + (ay - y) ** 2 > radius**2
    return clear


def compared(
    pair: Pair, matched: NDArray[np.float64], clear: NDArray[np.bool_], length: float
) -> Background:
    """Compare the levels.

    Parameters
    ----------
    matched : array
        The difference with stars equally wide in both.
    clear : array of bool
        Pixels between the stars.
    length : float
        Correlation length of the noise, pixels.
    """
    difference = np.where(clear, pair.ours - pair.real, np.nan)
    values = difference[clear]
    median = float(np.median(values))
    boxes, count = _boxes(difference - median)
    known = boxes[np.isfinite(boxes)]
    rms = _clipped(values - median)
    # a median scatters 1.25 times as a mean; correlated pixels count as fewer
    alike = 1 + np.pi * length**2
    noise = 1.25 * rms * np.sqrt(alike / np.median(count[np.isfinite(boxes)])) if len(known) else 0
    scatter = float(known.std()) if len(known) else np.nan
    return Background(
        median, scatter / np.sqrt(max(len(known), 1)), rms,
        _clipped(matched[clear] - np.median(matched[clear])), boxes, scatter,
        float(np.abs(known).max()) if len(known) else np.nan, float(noise),
    )  # fmt: skip


def _boxes(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return medians of boxes, and how many pixels each has."""
    rows, columns = (n // BOX for n in values.shape)
    cut = values[: rows * BOX, : columns * BOX].reshape(rows, BOX, columns, BOX)
    boxes = cut.swapaxes(1, 2).reshape(rows, columns, BOX * BOX)
    count = np.isfinite(boxes).sum(axis=-1)
    enough = count > _LEAST * BOX * BOX
    middle = np.nanmedian(np.where(enough[..., None], boxes, 0), axis=-1)
    return np.where(enough, middle, np.nan), count


def _clipped(values: NDArray[np.float64]) -> float:
    """Return the rms of values within some sigmas: a star that was not found is not noise."""
    sigma = 1.4826 * np.median(np.abs(values))
    kept = values[np.abs(values) <= _CLIP * sigma]
    return float(np.sqrt((kept**2).mean())) if len(kept) else np.nan


def noise_of(data: NDArray[np.float64], clear: NDArray[np.bool_]) -> Noise:
    """Measure the noise of an image and how it goes along from pixel to pixel."""
    from scipy.ndimage import uniform_filter

    level = np.median(data[clear])
    weight = uniform_filter(clear.astype(float), _SMOOTH)
    smooth = uniform_filter(np.where(clear, data - level, 0.0), _SMOOTH)
    rest = np.where(clear, data - level - smooth / np.maximum(weight, 1e-3), np.nan)
    rest = np.where(weight > 0.3, rest, np.nan)
    sigma = _clipped(rest[np.isfinite(rest)])
    rest[~(np.abs(rest) <= _CLIP * sigma)] = np.nan
    share = tuple(_correlation(rest, lag) / sigma**2 for lag in range(1, _LAGS + 1))
    length = float(np.interp(-np.exp(-1), -np.array([1.0, *share]), np.arange(_LAGS + 1)))
    n = np.isfinite(rest).sum() / (1 + np.pi * length**2)
    return Noise(sigma, float(sigma / np.sqrt(2 * max(n, 1))), share, length)


def _correlation(rest: NDArray[np.float64], lag: int) -> float:
    return float(
        (np.nanmean(rest[:, lag:] * rest[:, :-lag]) + np.nanmean(rest[lag:] * rest[:-lag])) / 2
    )
