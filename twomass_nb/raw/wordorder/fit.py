"""Which word orders turn one file into another, byte for byte: the search.

Every order predicts where in the .rds file each byte of the .rdo file is. A few thousand bytes,
compared at once under all 5,040 orders, leave one or a few; those are compared whole. A whole
comparison that fails points to bytes which then test the rest.

The simplest explanation goes first: orders over the whole scan; then within blocks of frames;
then with differences; then both. The length of blocks is not guessed but seen: an order moves
no byte out of its block, so up to the end of one both files have the same sum of bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from ..differences import DIRECTIONS
from ..layout import AXES, FRAME_BYTES, Layout, reorder_bytes
from .expected import Expected, sums_by_frame
from .orders import all_orders, axis_lengths, stride_table

__all__ = ["Fit", "search"]

_PROBES = (12, 64, 4096, 65536)  # bytes compared in each round, fewer orders being left in each
_MOST_PROBES = 1 << 22
_PROBE_SEED = 2000529
_MOST_COMPARED = 12  # whole comparisons that succeed; enough to show what a pair leaves open
_MOST_BLOCKS = 32
_SINGLE = [sign + name for name in DIRECTIONS for sign in ("", "-")]
_DOUBLE = [
    f"{one} {two}" for one, two in combinations(_SINGLE, 2) if one[-1] != two[-1]
]  # those along different axes
_OUTERMOST = np.char.startswith(stride_table(1)[0], "f")


@dataclass
class Fit:
    """The word orders that fit a pair.

    Attributes
    ----------
    layouts : list of Layout
        Those that fit byte for byte. Without differences, which byte is high plays no part: it
        is given as the high one first.
    open : set of str
        Further orders of axes that no byte looked at excludes, when there are too many to compare.
    swapped : bool
        Whether they fit only if the two bytes of each word change places.
    tried : list of str
        What was tried, in words.
    """

    layouts: list[Layout] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    swapped: bool = False
    tried: list[str] = field(default_factory=list)


def search(rds: NDArray[np.uint8], rdo: NDArray[np.uint8], n: int) -> Fit:
    """Return the orders that turn `rds` into `rdo`, by the simplest explanation that does.

    Parameters
    ----------
    rds, rdo : array of uint8
        Of the same length, `n` frames.
    """
    fit = Fit()
    plain = Expected(rdo, n)
    sums = sums_by_frame(rds)

    fit.tried.append(f"all {len(all_orders(n)[0])} orders of the axes f r Y y X x b, whole scan")
    if sums.sum() == plain.frame_sums().sum():
        _try(rds, plain, None, fit)
    if fit.layouts:
        return fit

    blocks = _block_lengths(sums, plain)
    ends = f"{len(blocks)} lengths have blocks with the same sum of bytes"
    if n > 2:
        fit.tried.append(f"the same within blocks of 2 to {n - 1} frames: {ends}")
    for block in blocks:
        _try(rds, plain, block, fit)
    if fit.layouts:
        return fit

    names = " ".join(DIRECTIONS)
    fit.tried.append(
        f"the same, whole scan, with differences modulo 65536 along one or two of {names}, "
        f"either sign, either byte order: {2 * len(_SINGLE + _DOUBLE)} kinds"
    )
    for steps, high_first in product(_SINGLE + _DOUBLE, (True, False)):
        if n > 1 or "f" not in steps:
            _try(rds, Expected(rdo, n, steps, high_first), None, fit)
    if fit.layouts:
        return fit

    if n > 2:
        fit.tried.append(f"differences along one of {names} in blocks: {2 * len(_SINGLE)} kinds")
    for steps, high_first in product(_SINGLE, (True, False)) if n > 2 else ():
        expected = Expected(rdo, n, steps, high_first)
        for block in _block_lengths(sums, expected):
            _try(rds, Expected(rdo, n, steps, high_first, block), block, fit)
    if fit.layouts:
        return fit

    fit.tried.append("all orders, whole scan, the two bytes of each word changing places")
    swapped = np.ascontiguousarray(rdo.reshape(-1, 2)[:, ::-1]).reshape(-1)
    _try(rds, Expected(swapped, n), None, fit)
    fit.swapped = bool(fit.layouts)
    return fit


def _block_lengths(sums: NDArray[np.int64], expected: Expected) -> list[int]:
    """Return what lengths blocks can have, by the sums of bytes up to their ends."""
    n = expected.n_frames
    ours = expected.frame_sums()
    ends = np.flatnonzero(np.cumsum(sums - ours) == 0) + 1
    if "f" not in expected.steps:
        inner = set(ends.tolist())
        lengths = [b for b in range(2, n) if inner.issuperset(range(b, n, b))]
    else:  # only in the first block are these the differences; the second begins with a frame
        whole = sums_by_frame(expected.rdo)
        anew = np.flatnonzero((sums == whole) & (sums != ours))
        lengths = sorted({*ends[:_MOST_BLOCKS].tolist(), *anew[:1].tolist()} - {0, 1, n})
    return lengths[:_MOST_BLOCKS]


def _try(rds: NDArray[np.uint8], expected: Expected, block: int | None, fit: Fit) -> None:
    """Add to `fit` the orders under which `rds` holds what is expected."""
    found, still_open = _orders_that_fit(rds, expected, block)
    fit.layouts += [Layout(o, expected.high_first, block, expected.steps) for o in found]
    fit.open.update(still_open)


def _orders_that_fit(
    rds: NDArray[np.uint8], expected: Expected, block: int | None
) -> tuple[list[str], list[str]]:
    """Return the orders that fit whole, and those that were neither excluded nor compared."""
    n = expected.n_frames
    places = _Places(n, block or n)
    rng = np.random.default_rng(_PROBE_SEED)
    lengths = axis_lengths(n)
    orders = places.orders
    left = np.arange(len(orders))
    if n == 1:
        left = left[_OUTERMOST]
    elif block is not None and "f" not in expected.steps:
        left = left[~_OUTERMOST]  # they are the same in blocks as over the whole scan

    def keep(where: NDArray[np.int64]) -> None:
        nonlocal left
        fits: NDArray[np.bool_] = rds[places.of(left, where)] == expected.at(where)
        left = left[fits.all(axis=1)]

    for count in _PROBES:
        if not 0 < left.size * count <= _MOST_PROBES:
            break  # none left, or so empty that whole comparisons must point to what differs
        keep(rng.integers(0, lengths[:, None], (len(AXES), count)))
    fitting: list[str] = []
    whole = expected.whole() if left.size else expected.rdo
    while left.size and len(fitting) < _MOST_COMPARED:
        order, left = str(orders[left[0]]), left[1:]
        found = reorder_bytes(rds, n, Layout(order, block=block), Layout.RDO)
        wrong = np.flatnonzero(found != whole)
        if wrong.size == 0:
            fitting.append(order)
            continue
        few = wrong[:: max(1, wrong.size // 64)]
        keep(np.array(np.unravel_index(few, tuple(lengths)), np.int64))
    return fitting, [str(o) for o in orders[left]]


class _Places:
    """Where in a file the bytes are, under every order: the last block may be shorter."""

    def __init__(self, n: int, block: int) -> None:
        self.block, self.n = block, n
        self.orders, self._strides = stride_table(block)
        self._last = stride_table(n % block or block)[1]

    def of(self, which: NDArray[np.int64], where: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return byte offsets, shape (orders, m), for indices along f r Y y X x b."""
        first = where[0] // self.block * self.block
        inside = where.copy()
        inside[0] -= first
        offsets = self._strides[which] @ inside
        short = first + self.block > self.n
        if short.any():
            offsets[:, short] = self._last[which] @ inside[:, short]
        offsets += first * FRAME_BYTES
        return offsets
