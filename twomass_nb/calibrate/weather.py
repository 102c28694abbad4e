"""Which twilight frames are of a clear, changing sky: levels, patterns, and what spoils them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cloud_in_levels", "cloud_in_patterns"]

# A level off the smooth course of its scan, and a pattern off that of the others: so many times
# the usual scatter, and at least this share of the level. Chosen: responsivity is wanted to
# better than 1 %, and slopes average over the frames.
_SIGMA, _LEVEL, _PATTERN = 6.0, 0.01, 0.005
_COURSE = 3  # frames: fewer have no course to be off


def cloud_in_levels(levels: NDArray[np.floating[Any]]) -> list[str]:
    """Say of the frames of one scan why their level is off, "" if it is not.

    Twilight grows or fades as an exponential whose rate changes slowly: the logarithm of the
    level follows a parabola. It is fitted so that the sum of absolute deviations is least,
    which frames under a cloud, if they are fewer than half, do not draw.
    """
    n = len(levels)
    if np.any(levels <= 0):
        return ["no light" if level <= 0 else "" for level in levels]
    if n <= _COURSE:
        return [""] * n
    y, t = np.log(levels), np.linspace(-1, 1, n)
    terms = np.vander(t, 3 if n > 2 * _COURSE else 2)
    weight = np.ones(n)
    for _ in range(30):
        root = np.sqrt(weight)[:, None]
        course = terms @ np.linalg.lstsq(terms * root, y * root[:, 0], rcond=None)[0]
        weight = 1 / np.maximum(np.abs(y - course), 1e-4)
    off = y - course
    limit = max(_SIGMA * 1.4826 * float(np.median(np.abs(off))), _LEVEL)
    return [
        f"cloud: {np.expm1(one):+.1%} off the course of its scan's twilight"
        if abs(one) > limit
        else ""
        for one in off
    ]


def cloud_in_patterns(blocks: NDArray[Any], levels: NDArray[Any]) -> list[str]:
    """Say of frames why the sky is not even in them, "" if it is.

    Parameters
    ----------
    blocks : array, shape (n, 8, 8)
        Medians of parts of the array, DN above the dark.
    levels : array, shape (n,)
        Medians of the frames, DN.
    """
    shape = (blocks / levels[:, None, None]).reshape(len(blocks), -1)
    usual = np.median(shape, axis=0)
    worst = np.max(np.abs(shape / np.where(usual > 0, usual, 1) - 1), axis=1)
    middle = np.median(worst)
    scatter = 1.4826 * np.median(np.abs(worst - middle))
    limit = max(middle + _SIGMA * scatter, _PATTERN)
    return [
        f"cloud: parts of the frame are {one:.1%} off the twilight of the other frames"
        if one > limit
        else ""
        for one in worst
    ]
