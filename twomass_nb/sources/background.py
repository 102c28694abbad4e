"""What lies under the stars: a smooth background, from clipped medians of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .peaks import filtered

__all__ = ["BOX", "background", "noise_map"]

#: Side of the boxes of a background in FWHM, and of those in which noise is measured.
BOX, _NOISE_BOX = 11, 22
# Values are kept that lie so many sigmas about the median; the sigma is that of the lower half,
# which stars do not enter.
_CLIP, _ROUNDS = 2.5, 3


def background(data: NDArray[np.float32], good: NDArray[np.bool_], box: int) -> NDArray[np.float32]:
    """Return a smooth background of a picture.

    Boxes are clipped, their medians taken, smoothed by a median over 3 x 3 boxes, and joined
    linearly. Boxes of few good pixels take the level of those around.

    Parameters
    ----------
    data : array, shape (rows, columns)
    good : array of bool
        Pixels to use; others may hold anything.
    box : int
        Side of a box in pixels.
    """
    values, count = _sorted_boxes(data, good, box)
    low, high = np.zeros_like(count), count.copy()
    for _ in range(_ROUNDS):
        middle = _at(values, (low + high) / 2)
        sigma = middle - _at(values, low + 0.1587 * (high - low))
        low = (values < (middle - _CLIP * sigma)[..., None]).sum(axis=-1)
        high = np.minimum((values <= (middle + _CLIP * sigma)[..., None]).sum(axis=-1), count)
    level = np.where(count > 0.25 * box * box, _at(values, (low + high) / 2), np.nan)
    return _box_map(level, data.shape, box)


def noise_map(
    data: NDArray[np.float32], good: NDArray[np.bool_], fwhm: float
) -> NDArray[np.float32]:
    """Return the noise that a star of some FWHM is seen against, as that of a single pixel.

    Pixels of a coadd share their noise with their neighbours, and where there is a nebula its
    threads are noise, too. So the scatter is measured through the filter that stars are found
    with: it is the noise that independent pixels would need to have for as much. Its lower half
    is taken, which stars do not enter.
    """
    above = data - background(data, good, round(BOX * fwhm))
    above[~good] = 0
    seen, lessened = filtered(above, good, fwhm)
    box = round(_NOISE_BOX * fwhm)
    values, count = _sorted_boxes(seen, good, box)
    sigma = _at(values, count / 2) - _at(values, 0.1587 * count)
    return _box_map(np.where(count > 0.25 * box * box, sigma, np.nan), data.shape, box) / lessened


def _sorted_boxes(
    data: NDArray[np.float32], good: NDArray[np.bool_], box: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return each box's values in rising order, inf for those not good, and how many are good."""
    rows, columns = (-(-n // box) for n in data.shape)
    padded = np.full((rows * box, columns * box), np.inf, np.float32)
    padded[: data.shape[0], : data.shape[1]] = np.where(good, data, np.inf)
    boxes = padded.reshape(rows, box, columns, box).swapaxes(1, 2).reshape(rows, columns, -1)
    boxes = np.sort(boxes, axis=-1)
    return boxes, np.isfinite(boxes).sum(axis=-1)


def _at(values: NDArray[np.float32], place: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    index = np.clip(place.astype(np.int64), 0, values.shape[-1] - 1)
    return np.take_along_axis(values, index[..., None], axis=-1)[..., 0]


def _box_map(
    level: NDArray[np.floating[Any]], shape: tuple[int, int], box: int
) -> NDArray[np.float32]:
    """Return the levels of boxes, smoothed and joined linearly, as a map of all pixels.

    Boxes of NaN take the median of all that have a level.
    """
    from scipy.ndimage import median_filter

    known = np.isfinite(level)
    filled = np.where(known, level, np.median(level[known]) if known.any() else 0.0)
    smooth = median_filter(filled, size=3, mode="nearest")
    down, across = (_joining(n, k, box) for n, k in zip(shape, level.shape, strict=True))
    return (down @ smooth.astype(np.float32)) @ across.T


def _joining(n: int, n_boxes: int, box: int) -> NDArray[np.float32]:
    """Return the weights of boxes in pixels, shape (n, n_boxes)."""
    place = np.clip((np.arange(n) - (box - 1) / 2) / box, 0, n_boxes - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(n_boxes))).astype(np.float32)
