"""What footprints can be coloured by: night, quality, depth; and the scale that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table

from ..array.track import lonlat
from ..tables.scan_table import values

__all__ = ["Scale", "offered", "scale_of"]

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


def scale_of(kind: str, loc: Any, rows: np.ndarray, keep: np.ndarray | None) -> Scale:
    """Return the colours' scale for rows of a locator's table.

    Parameters
    ----------
    kind : {"date", "quality", "depth"}
    loc : `~twomass_nb.ScanLocator`
    rows : array of int
    keep : array of bool, optional
        Scans of the locator that count for the depth; by default all.
    """
    if kind == "date":
        nights = _days(loc.table["date"])
        low, high = float(nights.min()), float(nights.max())
        ticks = {day: text[:7] for text, day in zip(_DAYS, _days(_DAYS), strict=True)
                 if low <= day <= high}  # fmt: skip
        return Scale(nights[rows], low, max(high, low + 1), ticks, "night of the scan")
    if kind == "quality":
        ticks = {float(k): str(k) for k in range(0, 11, 2)}
        said = values(loc.table[rows], "qual").astype(float)
        return Scale(said, 0.0, 10.0, ticks, "quality score of the scan (qual)")
    ra, dec = lonlat(loc.footprints.corners[rows].sum(axis=1))
    i_position, i_scan = loc.query(ra, dec)
    if keep is not None:
        i_position = i_position[keep[i_scan]]
    depth = np.bincount(i_position, minlength=len(rows)).astype(float)
    high = max(2.0, float(depth.max(initial=0)))
    step = max(1, int(high) // 6)
    ticks = {float(k): str(k) for k in range(1, int(high) + 1, step)}
    return Scale(depth, 1.0, high, ticks, "scans that cover the footprint's middle")
