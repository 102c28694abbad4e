"""How the backgrounds of frames are matched: by the medians of differences where they overlap.

The survey matched each frame to what was there already. Here all differences are taken at once and
solved together, so that no frame is first and errors do not add up along the scan. The mean level
stays: the background of a coadd is that of its frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .resample import Resampled

__all__ = ["match_backgrounds"]

# Every so many pixels of the image are looked at along rows and columns: a raw pixel covers 2 x 2.
_STRIDE = 4
# An overlap of fewer of these says nothing.
_LEAST = 200
# A pixel's edge is not looked at: so much of it must be covered.
_COVERED = 0.5


def match_backgrounds(frames: Sequence[Resampled]) -> NDArray[np.float64]:
    """Return what to take off each frame so that their backgrounds agree.

    Parameters
    ----------
    frames : sequence of Resampled
        On one image.

    Returns
    -------
    array, shape (n,)
        DN a pixel of the image, of mean 0. Frames that nothing links keep their own level.
    """
    n = len(frames)
    rows, right = [], []
    thinned = [_thinned(one) for one in frames]
    for a in range(n):
        for b in range(a + 1, n):
            found = _difference(thinned[a], thinned[b])
            if found is None:
                continue
            median, count = found
            row = np.zeros(n)
            row[a], row[b] = -np.sqrt(count), np.sqrt(count)
            rows.append(row)
            right.append(median * np.sqrt(count))
    if not rows:
        return np.zeros(n)
    # the solution of least norm has mean 0 in each group of linked frames
    return np.asarray(np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0])


def _thinned(one: Resampled) -> tuple[int, NDArray[np.float32]]:
    """Return every fourth row and column of the image, and which row is first (in fours)."""
    start = -one.first % _STRIDE
    covered = np.where(one.weight > _COVERED, one.values, np.float32(np.nan))
    return (one.first + start) // _STRIDE, covered[start::_STRIDE, ::_STRIDE]


def _difference(
    a: tuple[int, NDArray[np.float32]], b: tuple[int, NDArray[np.float32]]
) -> tuple[float, int] | None:
    low, high = max(a[0], b[0]), min(a[0] + len(a[1]), b[0] + len(b[1]))
    if low >= high:
        return None
    difference = b[1][low - b[0] : high - b[0]] - a[1][low - a[0] : high - a[0]]
    known = difference[np.isfinite(difference)]
    if known.size < _LEAST:
        return None
    return float(np.median(known)), known.size
