"""What lies under the stars: a smooth background, from clipped medians of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .peaks import filled, filtered

__all__ = ["BOX", "background", "noise_map"]

#: Side of the boxes of a background in FWHM, and of those in which noise is measured.
BOX, _NOISE_BOX = 11, 22
# Values are kept that lie so many sigmas about the median; the sigma is that of the lower half,
# which stars do not enter.
_CLIP, _ROUNDS = 2.5, 3
#: Share of a Gaussian that is lower than a sigma below its middle.
_SIGMA_BELOW = 0.1587
#: Share of a box that must be good.
_ENOUGH = 0.25


def background(data: NDArray[np.float32], good: NDArray[np.bool_], box: int) -> NDArray[np.float32]:
    """Return a smooth background of a picture.

    Boxes are clipped, their medians taken, smoothed by a median over 3 x 3 boxes, and joined
    by a cubic spline. Boxes of few good pixels take the level of the nearest.

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
        sigma = middle - _at(values, low + _SIGMA_BELOW * (high - low))
        low = (values < (middle - _CLIP * sigma)[..., None]).sum(axis=-1)
        high = np.minimum((values <= (middle + _CLIP * sigma)[..., None]).sum(axis=-1), count)
    return _box_map(_at(values, (low + high) / 2), count, data.shape, box)


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
    seen, lessened = filtered(filled(above, good), fwhm)
    box = round(_NOISE_BOX * fwhm)
    values, count = _sorted_boxes(seen, good, box)
    sigma = _at(values, count / 2) - _at(values, _SIGMA_BELOW * count)
    return _box_map(sigma, count, data.shape, box) / lessened


def _sorted_boxes(
    data: NDArray[np.float32], good: NDArray[np.bool_], box: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return each box's values in rising order, the good ones first, and how many are good."""
    rows, columns = (-(-n // box) for n in data.shape)
    padded = np.full((rows * box, columns * box), np.inf, np.float32)
    padded[: data.shape[0], : data.shape[1]] = np.where(good, data, np.inf)
    boxes = padded.reshape(rows, box, columns, box).swapaxes(1, 2).reshape(rows, columns, -1)
    boxes = np.sort(boxes, axis=-1)
    count = np.isfinite(boxes).sum(axis=-1)
    boxes[count == 0] = 0
    return boxes, count


def _at(values: NDArray[np.float32], place: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    index = np.clip(place.astype(np.int64), 0, values.shape[-1] - 1)
    return np.take_along_axis(values, index[..., None], axis=-1)[..., 0]


def _box_map(
    level: NDArray[np.float32], count: NDArray[np.int64], shape: tuple[int, int], box: int
) -> NDArray[np.float32]:
    """Return the levels of boxes, smoothed and joined, as a map of all pixels.

    Boxes of few good pixels take the level of the nearest that has enough.
    """
    from scipy.ndimage import distance_transform_edt, median_filter

    unknown = count < min(_ENOUGH * box * box, count.max(initial=0))
    nearest = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    smooth = median_filter(level[tuple(nearest)], size=3, mode="nearest")
    down, across = (_joining(n, k, box) for n, k in zip(shape, level.shape, strict=True))
    return (down @ smooth.astype(np.float32)) @ across.T


def _joining(n: int, n_boxes: int, box: int) -> NDArray[np.float32]:
    """Return the weights of boxes in pixels, shape (n, n_boxes): a cubic spline's."""
    from scipy.interpolate import CubicSpline

    if n_boxes == 1:
        return np.ones((n, 1), np.float32)
    middles = np.arange(n_boxes) * box + (box - 1) / 2
    middles[-1] = ((n_boxes - 1) * box + n - 1) / 2
    spline = CubicSpline(middles, np.eye(n_boxes), bc_type="natural")
    return np.asarray(spline(np.arange(n)), np.float32)
