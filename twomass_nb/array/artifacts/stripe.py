"""The stripe: rows disturbed in all four quadrants at once, and the hot pixels that do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from .hot import HotPixels
from .measured import DN, Measured, measured
from .stacking import QUADRANT, FixedPattern, clipped_mean, quadrants

__all__ = ["Stripe", "stripes"]

_FIRST = 8  # columns left out: first-column transient, and the hot group itself is often there
_NEAR, _FAR = 2, 7  # rows on each side that a row is compared with
_SURE = 5.0
_DECAY = 40  # rows of a quadrant that the reset decay disturbs in read 1
_GROUP = 3  # pixels: a hot group is at most so far across from its hottest


@dataclass(frozen=True)
class Stripe:
    """A row of each quadrant that stands out.

    Attributes
    ----------
    row : int
        In the quadrant; rows `row` and `row` + 128 of the array.
    r1, r2, difference : Measured, shape (4,)
        How far it stands out of the rows near it, DN.
    hot_x, hot_y : float
        Column and row of the hot group that was read at that time, NaN if there is none.
    hot_pixels : int
        Number of hot pixels in the group.
    hot_rate : `~astropy.units.Quantity`
        What they collect together, DN a second.
    """

    row: int
    r1: Measured
    r2: Measured
    difference: Measured
    hot_x: float
    hot_y: float
    hot_pixels: int
    hot_rate: u.Quantity


def stripes(pattern: FixedPattern, hot: HotPixels) -> list[Stripe]:
    """Find the stripes, the strongest first: r2 stands out the same way in all four quadrants.

    Parameters
    ----------
    pattern : FixedPattern
        Of darks.
    hot : HotPixels
        The same darks' hot pixels, among which the cause is looked for.
    """
    above, scatter = _above_near(pattern.r2.mean, 0)
    sure = above / scatter[:, None]
    together = np.where(np.abs(np.sign(above).sum(0)) == 4, np.abs(sure).min(0), 0.0)
    found = []
    for row in np.argsort(-together):
        if together[row] < _SURE:
            break
        found.append(_measure(pattern, hot, int(row)))
    return found


def _above_near(
    image: NDArray[np.float64], quiet_from: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows above the rows near them, (4, 128), and how much rows do so at random, (4,)."""
    parts = quadrants(image)[:, :, _FIRST:]
    rows, _ = clipped_mean(parts - np.median(parts, axis=1, keepdims=True), axis=2)
    above = np.empty_like(rows)
    for k in range(QUADRANT):
        near = [
            j for j in range(k - _FAR, k + _FAR + 1)
            if 0 <= j < QUADRANT and abs(j - k) >= _NEAR
        ]  # fmt: skip
        above[:, k] = rows[:, k] - np.median(rows[:, near], axis=1)
    quiet = above[:, quiet_from:]
    scatter = 1.4826 * np.median(np.abs(quiet - np.median(quiet, axis=1)[:, None]), axis=1)
    return above, scatter


def _measure(pattern: FixedPattern, hot: HotPixels, row: int) -> Stripe:
    """Measure one row. Its uncertainty is how much other rows stand out by chance."""
    quiet = {"r1": _DECAY, "r2": 0, "difference": _DECAY}
    reads = {}
    for name, quiet_from in quiet.items():
        above, scatter = _above_near(getattr(pattern, name).mean, quiet_from)
        reads[name] = measured(above[:, row], scatter)
    return Stripe(row, reads["r1"], reads["r2"], reads["difference"], *_cause(hot, row))


def _cause(hot: HotPixels, row: int) -> tuple[float, float, int, u.Quantity]:
    """Return column, row, number and rate of the hot group that is read with a row."""
    near = np.abs(hot.y % QUADRANT - row) <= _GROUP
    if not near.any():
        return np.nan, np.nan, 0, 0 * DN / u.s
    x, y, rate = hot.x[near], hot.y[near], hot.rate[near].value
    # the pixel that has most heat around it is in the group
    together = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y)) <= _GROUP
    group = together[np.argmax(together @ rate)]
    weight = rate[group] / rate[group].sum()
    return (
        float(x[group] @ weight),
        float(y[group] @ weight),
        int(group.sum()),
        float(rate[group].sum()) * DN / u.s,
    )
