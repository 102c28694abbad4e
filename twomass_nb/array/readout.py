"""When each pixel is read: the order within a quadrant, and the times of the two reads.

The four 128x128 quadrants are read at the same time, each from its lower left pixel along the
row, then the next row up (seed 000); a pixel takes 6 microseconds (BASE in Atlas headers). Time
for turning to the next row is in no source we have, and taken as none. A read's own time (TIMER0,
TIMER0 + TIMER1) is taken as that of its first pixel. Whether the reset goes through the pixels in
the same order is not known either: if it does, every pixel waits as long as the first one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..errors import NotFoundError
from .geometry import SIZE

__all__ = [
    "DWELL",
    "QUADRANT",
    "QUADRANTS",
    "STARTS",
    "quadrant",
    "read_before",
    "time_after_reset",
    "time_in_read",
]

#: Pixels along a side of a quadrant.
QUADRANT = SIZE // 2
#: Names of the quadrants, by the number that `quadrant` gives.
QUADRANTS = ("lower left", "lower right", "upper left", "upper right")
#: Time that a pixel takes.
DWELL = 6 * u.us
#: When each read starts, after the reset: TIMER0 = 52 ms, and TIMER1 = 1298 ms later.
STARTS = {"r1": 52 * u.ms, "r2": 1350 * u.ms}


def quadrant(x: Any, y: Any) -> NDArray[np.int64]:
    """Return which of `QUADRANTS` a pixel is in.

    Raises
    ------
    NotFoundError
        If there is no such pixel.
    """
    x, y = _pixels(x, y)
    return 2 * (y // QUADRANT) + x // QUADRANT


def read_before(x: Any, y: Any) -> NDArray[np.int64]:
    """Return how many pixels of its quadrant are read before a pixel, 0 to 16383.

    Raises
    ------
    NotFoundError
        If there is no such pixel.
    """
    x, y = _pixels(x, y)
    return QUADRANT * (y % QUADRANT) + x % QUADRANT


def time_in_read(x: Any, y: Any) -> u.Quantity:
    """Return the time from the start of a read to a pixel, the same in both reads; ms.

    Raises
    ------
    NotFoundError
        If there is no such pixel.
    """
    return (read_before(x, y) * DWELL).to(u.ms)


def time_after_reset(x: Any, y: Any, read: str) -> u.Quantity:
    """Return the time from the reset to a pixel in read "r1" or "r2"; ms.

    Raises
    ------
    NotFoundError
        If there is no such pixel or read.
    """
    if read not in STARTS:
        msg = f"{read!r} is not a read: use 'r1' or 'r2'"
        raise NotFoundError(msg)
    return STARTS[read] + time_in_read(x, y)


def _pixels(x: Any, y: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    x, y = np.asarray(x), np.asarray(y)
    for values in (x, y):
        if values.dtype.kind not in "iu" or (values.size and not _on_array(values)):
            msg = f"there is no pixel x, y = {x}, {y}: whole numbers from 0 to {SIZE - 1} are"
            raise NotFoundError(msg)
    return x.astype(np.int64), y.astype(np.int64)


def _on_array(values: NDArray[Any]) -> bool:
    return bool(values.min() >= 0 and values.max() < SIZE)
