"""What footprints can be coloured by: night, quality, depth; and the scale that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table

from ..array.track import lonlat
from ..tables.scan_table import values

__all__ = ["Depth", "Scale", "depth_scale", "offered", "scale_of"]

_DAYS = ("1997-07-01", "1998-01-01", "1998-07-01", "1999-01-01", "1999-07-01", "2000-01-01",
         "2000-07-01", "2001-01-01")  # fmt: skip


@dataclass
class Scale:
    """A value for each footprint, and the ends, ticks and title of their colour bar."""

    values: np.ndarray
    low: float
    high: float
    ticks: dict[float, str]
    title: str


def offered(table: Table) -> list[str]:
    """Return what the footprints of a scan table can be coloured by."""
    return ["covering", "date", *(["quality"] if "qual" in table.colnames else []), "depth"]


def _days(dates: Any) -> np.ndarray:
    return np.asarray(dates).astype("datetime64[D]").astype(float)


def scale_of(kind: str, table: Table, rows: np.ndarray) -> Scale:
    """Return the colours' scale for rows of a scan table.

    Parameters
    ----------
    kind : {"date", "quality"}
    table : `~astropy.table.Table`
    rows : array of int
    """
    if kind == "date":
        nights = _days(table["date"])
        low, high = float(nights.min()), float(nights.max())
        ticks = {day: text[:7] for text, day in zip(_DAYS, _days(_DAYS), strict=True)
                 if low <= day <= high}  # fmt: skip
        return Scale(nights[rows], low, max(high, low + 1), ticks, "night of the scan")
    ticks = {float(k): str(k) for k in range(0, 11, 2)}
    said = values(table[rows], "qual").astype(float)
    return Scale(said, 0.0, 10.0, ticks, "quality score of the scan (qual)")


def depth_scale(depth: np.ndarray) -> Scale:
    """Return the colours' scale for numbers of scans: their logarithm, since few places have many.

    NaN where there is none.
    """
    high = max(2.0, float(depth.max(initial=0)))
    steps = [k * 10**power for power in range(6) for k in (1, 2, 5)]
    ticks = {math.log10(step): str(step) for step in steps if step <= high}
    level = np.full(len(depth), np.nan)
    np.log10(depth, out=level, where=depth > 0)
    title = "scans that cover the footprint's middle"
    return Scale(level, 0.0, math.log10(high), ticks, title)


class Depth:
    """How many scans cover the middles of footprints, counted once each.

    Parameters
    ----------
    loc : `~twomass_nb.ScanLocator`
    keep : array of bool, optional
        Scans of the locator that count; by default all.
    """

    def __init__(self, loc: Any, keep: np.ndarray | None) -> None:
        self._loc, self._keep = loc, keep
        self._known = np.full(len(loc), np.nan)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the depth of rows of the locator's table."""
        new = rows[np.isnan(self._known[rows])]
        # A few at a time: in a field observed thousands of times each has thousands.
        for some in np.array_split(new, len(new) // 500 + 1):
            ra, dec = lonlat(self._loc.footprints.corners[some].sum(axis=1))
            i_position, i_scan = self._loc.query(ra, dec)
            if self._keep is not None:
                i_position = i_position[self._keep[i_scan]]
            self._known[some] = np.bincount(i_position, minlength=len(some))
        return self._known[rows]
