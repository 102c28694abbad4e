"""The responsivity that frames are divided by: the slopes, checked against the faintest twilight.

A linear array would show the same ratios between its pixels at every level. Where the slopes
exaggerate the differences between pixels, compared with the faintest frames, light was not
counted in proportion in the bright ones (persistence is enough): the differences are scaled to
those of the faintest frames, which are nearest to the night sky, and half of the change is added
to the errors. The first column read of each quadrant is compared on its own, because in the
south, from the night of 990118 on, it departs from the rest (seed 000).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..array.readout import QUADRANT, QUADRANTS
from .twilights import Twilight

__all__ = ["FirstColumn", "Responsivity", "first_columns", "responsivity"]

_ORDINARY = 0.5  # of the median: pixels further off say nothing of the others
_BESIDE = slice(2, 10)  # columns that the first one is compared with; the second is disturbed too
# The first column is flagged if it is off by so many errors and at least so much. Chosen.
_SIGMA, _LEAST = 5.0, 0.01


@dataclass(frozen=True)
class FirstColumn:
    """The first column read of a quadrant in bright twilight.

    Attributes
    ----------
    quadrant : str
        As "lower left".
    excess, error : float
        By what share its slopes are higher than its ratios in the faintest frames, beside the
        columns that follow it: a flux divided by the slope is too low by as much.
    """

    quadrant: str
    excess: float
    error: float

    @property
    def departs(self) -> bool:
        """Whether it is not linear, beyond doubt and by a share that matters."""
        return abs(self.excess) > max(_SIGMA * self.error, _LEAST)


@dataclass(frozen=True)
class Responsivity:
    """Relative responsivity of the pixels.

    Attributes
    ----------
    map, error : array of float32, shape (256, 256)
        Its median is 1; NaN where it is not known.
    nonlinearity : float
        By what share the slopes exaggerated the differences between pixels.
    first_columns : tuple of FirstColumn
    """

    map: NDArray[np.float32]
    error: NDArray[np.float32]
    nonlinearity: float
    first_columns: tuple[FirstColumn, ...]


def responsivity(twilight: Twilight) -> Responsivity:
    """Return the responsivity that a twilight shows."""
    columns = first_columns(twilight)
    slope, ratio = twilight.slope - 1, twilight.ratio - 1
    with np.errstate(invalid="ignore"):
        ordinary = (np.abs(slope) < _ORDINARY) & (np.abs(ratio) < _ORDINARY)
    ordinary[:, ::QUADRANT] = False
    # weighted with the slope, the less noisy of the two
    contrast = float(np.sum(slope[ordinary] * ratio[ordinary]) / np.sum(slope[ordinary] ** 2))
    spread = float(np.std(slope[ordinary]))
    doubt = abs(contrast - 1) / 2 * np.hypot(slope, spread)
    error = np.hypot(twilight.slope_error, doubt)
    values = np.where(ordinary, 1 + contrast * slope, twilight.slope)
    for column, (rows, x) in zip(columns, _places(), strict=True):
        if column.departs:
            error[rows, x] = np.hypot(error[rows, x], abs(column.excess) * values[rows, x])
    return Responsivity(
        values.astype(np.float32), error.astype(np.float32), 1 / contrast - 1, columns
    )


def first_columns(twilight: Twilight) -> tuple[FirstColumn, ...]:
    """Compare the first column of each quadrant with those that follow it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.asarray(twilight.slope / twilight.ratio)
    found = []
    for name, (rows, x) in zip(QUADRANTS, _places(), strict=True):
        beside = quotient[rows, x + _BESIDE.start : x + _BESIDE.stop]
        excess = quotient[rows, x] / np.nanmedian(beside) - 1
        excess = excess[np.isfinite(excess)]
        middle = float(np.median(excess))
        scatter = 1.4826 * float(np.median(np.abs(excess - middle)))
        found.append(FirstColumn(name, middle, 1.2533 * scatter / np.sqrt(len(excess))))
    return tuple(found)


def _places() -> list[tuple[slice, int]]:
    """Return rows and column of the first columns, in the order of `QUADRANTS`."""
    return [(slice(y, y + QUADRANT), x) for y in range(0, SIZE, QUADRANT) for x in (0, QUADRANT)]


def first_column_map(columns: tuple[FirstColumn, ...]) -> NDArray[Any]:
    """Return the factor that each pixel's responsivity is too high by, shape (256, 256)."""
    factor = np.ones((SIZE, SIZE), np.float32)
    for column, place in zip(columns, _places(), strict=True):
        if column.departs:
            factor[place] = 1 + column.excess
    return factor
