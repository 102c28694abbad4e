"""All 5,040 orders of the seven axes as a table of strides, for searches among them."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ..layout import AXES, LENGTHS

__all__ = ["all_orders", "axis_lengths"]


def axis_lengths(n_frames: int) -> NDArray[np.int64]:
    """Return the lengths of the axes f r Y y X x b in a scan of `n_frames`."""
    return np.array([LENGTHS[a] or n_frames for a in AXES], np.int64)


@lru_cache(maxsize=4)
def all_orders(n_frames: int) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return every order and its strides.

    Orders that differ only in where an axis of length 1 stands are the same order: of a single
    frame, those with f outermost stand for all.

    Returns
    -------
    orders : array of str, shape (5040,) or (720,)
        As ``"frYyXxb"``.
    strides : array of int, shape (5040, 7) or (720, 7)
        Bytes from one element to the next along f r Y y X x b.
    """
    orders = ["".join(p) for p in permutations(AXES)]
    if n_frames == 1:
        orders = [order for order in orders if order[0] == "f"]
    lengths = dict(zip(AXES, axis_lengths(n_frames), strict=True))
    strides = np.empty((len(orders), len(AXES)), np.int64)
    for row, order in zip(strides, orders, strict=True):
        step = 1
        for axis in reversed(order):
            row[AXES.index(axis)] = step
            step *= lengths[axis]
    return np.array(orders), strides
