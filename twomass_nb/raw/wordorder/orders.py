"""All 5,040 orders of the seven axes as a table of strides, for searches among them."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ..layout import AXES, LENGTHS

__all__ = ["all_orders", "axis_lengths", "stride_table"]

_ORDERS = np.array(["".join(p) for p in permutations(AXES)])


def axis_lengths(n_frames: int) -> NDArray[np.int64]:
    """Return the lengths of the axes f r Y y X x b in a scan of `n_frames`."""
    return np.array([LENGTHS[a] or n_frames for a in AXES], np.int64)


@lru_cache(maxsize=8)
def stride_table(n_frames: int) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return every order and its strides.

    Returns
    -------
    orders : array of str, shape (5040,)
        As ``"frYyXxb"``.
    strides : array of int, shape (5040, 7)
        Bytes from one element to the next along f r Y y X x b.
    """
    lengths = dict(zip(AXES, axis_lengths(n_frames), strict=True))
    strides = np.empty((len(_ORDERS), len(AXES)), np.int64)
    for row, order in zip(strides, _ORDERS, strict=True):
        step = 1
        for axis in reversed(str(order)):
            row[AXES.index(axis)] = step
            step *= lengths[axis]
    return _ORDERS, strides


def all_orders(n_frames: int) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the orders that differ, and their strides; see `stride_table`.

    Orders that differ only in where an axis of length 1 stands are the same order: of a single
    frame, those with f outermost stand for all, 720 of them.
    """
    orders, strides = stride_table(n_frames)
    if n_frames == 1:
        outermost = np.char.startswith(orders, "f")
        return orders[outermost], strides[outermost]
    return orders, strides
