"""The scans that are searched, and the fast door: positions in, pairs of position and scan out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from ..errors import TableError
from ..tables.scan_table import as_scan_table
from .asked import check, number_of_arcsec, numbers_of_degrees, points
from .assemble import IDENTITY, sources, with_images, with_logs, with_raw_scans, with_uncertainty
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
        if not isinstance(scans, Table):
            msg = (
                f"a locator is made from a table, and {type(scans).__name__} is none: read a file "
                "with read_scan_table, a saved locator with ScanLocator.load"
            )
            raise TableError(msg)
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
        return bool(self._never_were.any())

    @cached_property
    def _never_were(self) -> NDArray[np.bool_]:
        """Which rows of `table` are simulated: it may hold observed scans as well."""
        return sources(self.table) == "sim"

    def any_simulated(self, rows: Any) -> bool:
        """Whether any of some rows of `table` never was; of no rows, whether all never were."""
        rows = np.asarray(rows, np.intp)
        return bool(self._never_were[rows].any() if rows.size else self._never_were.all())

    @property
    def as_made(self) -> bool:
        """Whether the table is, row for row, the one its meta names: no part, no stack of them."""
        return self.table.meta.get("rows") == len(self.table)

    @property
    def source(self) -> str:
        """One sentence on where the scans are from."""
        where = (self.as_made and self.table.meta.get("path")) or "a table in memory"
        count = int(self._never_were.sum())
        some = "" if count == len(self) else f"{count:,} of {len(self):,} "
        what = f"{some}simulated, never observed; " if count else ""
        return f"{what}{len(self):,} scans from {where}"

    def query(
        self, ra: Any, dec: Any, margin: float = 0.0
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the scans that cover positions: the fast door.

        Parameters
        ----------
        ra, dec : float or array
            Degrees, J2000 (ICRS). What has a unit, as a `~astropy.units.Quantity`, is turned into
            degrees; what is masked is no position.
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
            If a position is not on the sky or no number, the shapes of ra and dec do not go
            together, or the margin is no number, not finite or beyond 10 degrees.
        """
        ra, dec = numbers_of_degrees(ra, dec)
        margin = number_of_arcsec(margin)
        if ra.size == 1:
            return self._query_one(ra.reshape(1), dec.reshape(1), margin)
        ra, dec = ra.ravel(), dec.ravel()
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
