"""How frames become one image: layers of frames that do not overlap, transients masked, averaged.

Frames i and i + 7 of a scan never overlap (7 steps of 82 arcsec are more than the 512 of a frame),
so all frames of an image fit into seven layers of its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .resample import Image, Resampled
from .transients import mask

__all__ = ["Combined", "combine"]


@dataclass(frozen=True)
class Combined:
    """An image made of frames.

    Attributes
    ----------
    data, uncertainty : array of float32
        DN a pixel; NaN where there is no frame.
    coverage : array of uint8
        Frames in a pixel.
    masked, streaks : int
        Pixels of layers masked as transients, and trails among them.
    """

    data: Image
    uncertainty: Image
    coverage: NDArray[np.uint8]
    masked: int
    streaks: int


def combine(
    frames: Sequence[Resampled], offsets: NDArray[np.float64], shape: tuple[int, int],
    transients: bool = True,
) -> Combined:  # fmt: skip
    """Average frames, each with its offset taken off.

    Parameters
    ----------
    frames : sequence of Resampled
    offsets : array, shape (n,)
        See `match_backgrounds`.
    shape : (rows, columns)
    transients : bool, optional
        Whether what one frame alone shows is masked first.
    """
    depth = _depth(frames)
    values = np.full((depth, *shape), np.nan, np.float32)
    variance = np.full_like(values, np.nan)
    weight = np.zeros_like(values)
    for one, offset in zip(frames, offsets, strict=True):
        layer, seen = one.frame % depth, one.weight > 0
        for into, what in (
            (values, one.values - np.float32(offset)), (variance, one.variance),
            (weight, one.weight),
        ):  # fmt: skip
            # a frame's rim is tilted against the image's rows, and may share some with another's
            np.copyto(into[layer, one.rows], what, where=seen)
    masked = streaks = 0
    if transients:
        alone, trails = mask(values, variance)
        weight[alone] = 0
        masked, streaks = int(alone.sum()), len(trails)
    values[weight == 0] = 0
    variance[weight == 0] = 0
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        data = np.einsum("ijk,ijk->jk", weight, values) / total
        error = np.sqrt(np.einsum("ijk,ijk,ijk->jk", weight, weight, variance)) / total
    coverage = (weight > 0).sum(axis=0).astype(np.uint8)
    return Combined(data.astype(np.float32), error.astype(np.float32), coverage, masked, streaks)


def _depth(frames: Sequence[Resampled]) -> int:
    """Return how many frames on no frame still shares rows with an earlier one."""
    places = {one.frame: one.rows for one in frames}
    return 1 + max(
        b - a
        for a, here in places.items()
        for b, there in places.items()
        if a <= b and here.start < there.stop and there.start < here.stop
    )
