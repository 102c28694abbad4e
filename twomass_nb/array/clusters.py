"""Which pixels lie together, as those of one star do."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["clusters"]


def clusters(x: ArrayLike, y: ArrayLike, apart: int = 3) -> NDArray[np.float64]:
    """Put pixels that lie together into one.

    Parameters
    ----------
    x, y : array of int, shape (n,)
        Pixels.
    apart : int, optional
        Columns and rows from one pixel to the next of a cluster, at most.

    Returns
    -------
    array, shape (m, 3)
        Mean x, mean y and number of pixels of each cluster, the largest first.
    """
    left = set(zip(np.asarray(x).tolist(), np.asarray(y).tolist(), strict=True))
    reach = range(-apart, apart + 1)
    found = []
    while left:
        edge = [left.pop()]
        members = []
        while edge:
            px, py = edge.pop()
            members.append((px, py))
            near = left & {(px + dx, py + dy) for dx in reach for dy in reach}
            left -= near
            edge.extend(near)
        found.append((*np.mean(members, axis=0), len(members)))
    return np.array(sorted(found, key=lambda one: -one[2]), float).reshape(-1, 3)
