"""Where sources are on the sphere, and which of two lists are each other's nearest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError

__all__ = ["chord", "mutual", "positions", "values", "vectors"]

_DEC = ("dec", "decl")


def values(column: Any, unit: str) -> NDArray[np.float64]:
    """Return a column as floats in a unit; without one it has it already. Masked: NaN."""
    if getattr(column, "unit", None) is not None:
        column = column.quantity if hasattr(column, "quantity") else column
        column = column.to_value(unit)
    return np.ma.filled(np.ma.asarray(column, float), np.nan)


def positions(table: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ra and dec of a table in degrees; the column is ``dec``, or ``decl`` as on the DVD.

    Raises
    ------
    TableError
        If it has none.
    """
    dec = next((name for name in _DEC if name in table.colnames), None)
    if dec is None or "ra" not in table.colnames:
        msg = f"sources need columns ra and dec; this table has {', '.join(table.colnames[:6])}"
        raise TableError(msg)
    return values(table["ra"], "deg"), values(table[dec], "deg")


def vectors(ra: Any, dec: Any) -> NDArray[np.float64]:
    """Return unit vectors of positions in degrees, shape (n, 3)."""
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    across = np.cos(dec)
    return np.stack([across * np.cos(ra), across * np.sin(ra), np.sin(dec)], axis=-1)


def chord(arcsec: float) -> float:
    """Return the straight distance of unit vectors that are some arcsec apart."""
    return float(2 * np.sin(np.deg2rad(arcsec / 3600) / 2))


def mutual(
    first: NDArray[np.float64], second: NDArray[np.float64], distance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return indices of points that are each other's nearest and no farther than `distance`."""
    from scipy.spatial import cKDTree

    if not len(first) or not len(second):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    reach, there = cKDTree(second).query(first, distance_upper_bound=distance)
    near = np.flatnonzero(np.isfinite(reach))
    _, back = cKDTree(first).query(second[there[near]])
    kept = near[back == near]
    return kept, there[kept]
