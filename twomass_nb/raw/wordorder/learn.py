"""The exact word order from a pair: the same scan as .rds and as .rdo.

Every order predicts, for each byte of the .rdo file, where it is in the .rds file. A few
thousand bytes, compared at once under all 5,040 orders, leave one or a few; those are compared
whole. A whole comparison that fails points to bytes which then test the rest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import LayoutError
from ..codec import reorder
from ..inflate import read_content
from ..layout import AXES, Layout
from .byteorder import high_is_first
from .orders import all_orders, axis_lengths

__all__ = ["learn_layout"]

_PROBES = (64, 4096, 65536)  # bytes compared in each round, fewer orders being left in each
_MOST_PROBES = 1 << 22
_PROBE_SEED = 2000529


def learn_layout(rds: Any, rdo: Any) -> Layout:
    """Find the word order of an ``.rds`` file from the ``.rdo`` file of the same scan.

    Which byte is high is judged from the content, since a pair cannot say.

    Parameters
    ----------
    rds, rdo : path
        The two files, compressed or not.

    Returns
    -------
    Layout
        The one order under which the files agree byte for byte.

    Raises
    ------
    LayoutError
        If no order fits, if several do, if the sizes differ or if a file is cut off.
    RawFileError
        If a file is broken.
    """
    rds, rdo = Path(rds), Path(rdo)
    a, b = read_content(rds), read_content(rdo)
    for path, content in ((rds, a), (rdo, b)):
        if content.truncated:
            msg = f"{path} is cut off: learning a word order needs two whole files"
            raise LayoutError(msg)
    if a.data.size != b.data.size:
        msg = (
            f"{rds.name} has {a.n_frames} frames and {rdo.name} {b.n_frames}: "
            "they are not the same scan"
        )
        raise LayoutError(msg)
    n = a.n_frames
    orders = _orders_that_fit(a.data, b.data, n)
    if not orders:
        msg = (
            f"no word order turns {rds.name} into {rdo.name}: tried all {len(all_orders(n)[0])} "
            "orders of the axes f r Y y X x b over the whole scan (orders within blocks of "
            "frames, and differences between reads or neighbours, were not tried)"
        )
        raise LayoutError(msg)
    if len(orders) > 1:
        one, two = orders
        differ = " ".join(sorted({x for x, y in zip(one, two, strict=True) if x != y}))
        msg = (
            f"{rds.name} and {rdo.name} do not tell the axes {differ} apart: '{' '.join(one)}' "
            f"and '{' '.join(two)}' both fit; learn from a pair whose frames differ"
        )
        raise LayoutError(msg)
    words = b.data.reshape(-1, 2)
    high_first = high_is_first(words[:, 0], words[:, 1])
    if high_first is None:
        msg = (
            f"the order of {rds.name} is '{' '.join(orders[0])}', but the content does not say "
            "which byte is high: give Layout(order, high_first=...) yourself"
        )
        raise LayoutError(msg)
    return Layout(orders[0], high_first)


def _orders_that_fit(rds: NDArray[np.uint8], rdo: NDArray[np.uint8], n: int) -> list[str]:
    """Return the orders that fit whole, at most two of them."""
    orders, strides = all_orders(n)
    lengths = axis_lengths(n)
    rdo_strides = strides[list(orders).index(AXES)]
    rng = np.random.default_rng(_PROBE_SEED)
    left = np.arange(len(orders))

    def keep(where: NDArray[np.int64]) -> None:
        nonlocal left
        left = left[(rds[strides[left] @ where] == rdo[rdo_strides @ where]).all(axis=1)]

    for count in _PROBES:
        if left.size * count > _MOST_PROBES:
            break  # content so empty that whole comparisons must point to what differs
        keep(rng.integers(0, lengths[:, None], (len(AXES), count)))
    fitting: list[str] = []
    decoded = np.empty(tuple(lengths), np.uint8)
    expected = rdo.reshape(decoded.shape)
    while left.size and len(fitting) < 2:
        order, left = str(orders[left[0]]), left[1:]
        reorder(decoded, Layout(order).bytes_of(rds, n))
        wrong = np.flatnonzero((decoded != expected).reshape(-1))
        if wrong.size == 0:
            fitting.append(order)
            continue
        few = wrong[:: max(1, wrong.size // 64)]
        keep(np.array(np.unravel_index(few, decoded.shape), np.int64))
    return fitting
