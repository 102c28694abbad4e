"""The scans that are searched, and the fast door: positions in, pairs of position and scan out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from ..tables.scan_table import as_scan_table, is_simulated
from .asked import check, points
from .assemble import IDENTITY, with_images, with_logs, with_raw_scans, with_uncertainty
from .footprint import Footprints
from .index import PixelIndex

__all__ = ["Core"]

# Positions are answered in slices that stay in the processor's cache.
_SLICE = 16384


class Core:
    """The ground of `ScanLocator`, which explains the parameters and attributes."""

    def __init__(
        self,
        scans: Table,
        raw_scans: Table | None = None,
        lgo: Table | Iterable[Table] | None = None,
        atlas: Table | None = None,
    ) -> None:
        table = as_scan_table(scans)
        unplaced = Table(names=IDENTITY, dtype=["U10", "U1", int])
        if atlas is not None:
            table = with_images(table, atlas)
        if lgo is not None:
            table = with_logs(table, lgo)
        if raw_scans is not None:
            table, unplaced = with_raw_scans(table, raw_scans)
        self.table = with_uncertainty(table)
        self.unplaced = unplaced
        self.path: str | None = None
        self.footprints = Footprints.from_table(table)
        self.index = PixelIndex.build(self.footprints)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"<ScanLocator: {self.source}>"

    @property
    def simulated(self) -> bool:
        """Whether any of the scans never was."""
        return is_simulated(self.table)

    @property
    def as_made(self) -> bool:
        """Whether the table is, row for row, the one its meta names: no part, no stack of them."""
        return self.table.meta.get("rows") == len(self.table)

    @property
    def source(self) -> str:
        """One sentence on where the scans are from."""
        where = (self.as_made and self.table.meta.get("path")) or "a table in memory"
        what = "simulated, never observed; " if self.simulated else ""
        return f"{what}{len(self):,} scans from {where}"

    def query(
        self, ra: Any, dec: Any, margin: float = 0.0
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the scans that cover positions: the fast door.

        Parameters
        ----------
        ra, dec : float or array
            Degrees, J2000 (ICRS).
        margin : float, optional
            Arcsec by which every edge is moved out, or in where negative.

        Returns
        -------
        i_position, i_scan : array of int
            Pairs of a position (its place in the flattened input) and a row of `table`, sorted by
            position, then scan.

        Raises
        ------
        PositionError
            If a position is not on the sky, or the margin is not finite or beyond 10 degrees.
        """
        ra, dec = np.asarray(ra, float), np.asarray(dec, float)
        if ra.size == dec.size == 1:
            return self._query_one(ra.reshape(1), dec.reshape(1), margin)
        ra, dec = (part.ravel() for part in np.broadcast_arrays(ra, dec))
        check(ra, dec, margin)

        def part(first: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
            xyz = points(ra[first : first + _SLICE], dec[first : first + _SLICE])
            i_position, i_scan = self.index.near(xyz, margin)
            inside = self.footprints.inside(i_scan, xyz.take(i_position, axis=0), margin)
            return i_position[inside] + first, i_scan[inside].astype(np.intp)

        starts = range(0, len(ra), _SLICE)
        if len(starts) > 4:
            with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as workers:
                found = list(workers.map(part, starts))
        else:
            found = [part(first) for first in starts]
        none = np.zeros(0, np.intp)
        i_position, i_scan = (np.concatenate([none, *(some[k] for some in found)]) for k in (0, 1))
        return i_position, i_scan

    def _query_one(
        self, ra: NDArray[np.float64], dec: NDArray[np.float64], margin: float
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Do the same for one position, with the same arithmetic."""
        check(ra, dec, margin)
        point = points(ra, dec)[0]
        may = self.index.one(point, margin)
        i_scan = may[self.footprints.holding(may, point, margin)].astype(np.intp)
        return np.zeros(len(i_scan), np.intp), i_scan
