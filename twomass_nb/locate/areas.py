"""What a locator says of areas rather than places: regions, depth, MOCs, tiles, nights."""

from __future__ import annotations

from typing import Any

import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, Table, vstack
from numpy.typing import NDArray

from ..errors import NotFoundError, PositionError, ScanNameError
from ..scan import ScanId
from . import export
from .answer import file_names, scan_names
from .assemble import IDENTITY, sources
from .core import Core
from .overlap import cells_of, overlapping
from .select import selected

__all__ = ["Areas"]

# Positions asked for at once.
_CHUNK = 1 << 20
# Cells of a MOC are told apart to this order where every cell must be looked at (3.4 arcmin).
_FINEST_DEPTH = 10


class Areas(Core):
    """The part of `ScanLocator` that is about areas; selections are those of `select`."""

    def select(self, **selection: Any) -> NDArray[np.intp]:
        """Return the rows of `table` that a selection leaves, in their order.

        Parameters
        ----------
        **selection
            Any of hemis, dates, s_type, quality, tile, source, band, catalog, epochs and rows,
            as `twomass_nb.locate.selected` explains them; without any, all rows.

        Raises
        ------
        TableError
            If there is no such criterion, or the table does not hold what it asks for.

        Examples
        --------
        >>> loc.select(hemis="s", dates=("1999-01-18", None), quality=8)  # doctest: +SKIP
        """
        return np.flatnonzero(selected(self.table, **selection))

    def scans(self, rows: Any) -> Table:
        """Return rows of `table`, with i_scan, scan_id and source before their own columns."""
        rows = np.asarray(rows, np.intp)
        result = self.table[rows]
        result["source"] = sources(result)
        result.add_columns([rows, scan_names(result)], indexes=[0, 0], names=["i_scan", "scan_id"])
        result.meta.pop("SIMULATE", None)  # the whole table's, of which these are some rows
        if self.any_simulated(rows):
            result.meta["SIMULATE"] = True
        return result

    def overlapping(self, region: Any, **selection: Any) -> Table:
        """Return the scans that have any place in common with a region.

        Parameters
        ----------
        region : region or `mocpy.MOC`
            Of the regions package: a circle, or a polygon, whose edges are taken as great
            circles; it may be concave. A MOC counts as its cells, to order 13 (26 arcsec).
        **selection
            See `select`.

        Returns
        -------
        `~astropy.table.Table`
            One row a scan, in the order of `table`, as `scans` gives them.

        Raises
        ------
        PositionError
            If it is no such region, or an impossible one.
        """
        keep = overlapping(self.footprints, self.index, region)
        keep &= selected(self.table, **selection)
        return self.scans(np.flatnonzero(keep))

    def coverage(self, nside: int = 64, **selection: Any) -> NDArray[np.int64]:
        """Return how many scans cover each pixel's centre, as a HEALPix map (ring scheme).

        Parameters
        ----------
        nside : int, optional
            A power of 2.
        **selection
            See `select`.

        Raises
        ------
        PositionError
            If `nside` is not a power of 2.
        """
        if not hp.isnsideok(nside, nest=True):
            msg = f"nside={nside!r} is not a power of 2"
            raise PositionError(msg)
        return self._depth(nside, np.arange(hp.nside2npix(nside)), False, selection)

    def _depth(
        self, nside: int, pixels: NDArray[np.integer], nest: bool, selection: dict[str, Any]
    ) -> NDArray[np.int64]:
        keep = selected(self.table, **selection)
        depth = np.zeros(len(pixels), np.int64)
        for first in range(0, len(pixels), _CHUNK):
            some = pixels[first : first + _CHUNK]
            i_position, i_scan = self.query(*hp.pix2ang(nside, some, nest=nest, lonlat=True))
            counts = np.bincount(i_position[keep[i_scan]], minlength=len(some))
            depth[first : first + _CHUNK] = counts
        return depth

    def moc(self, order: int | None = None, min_depth: int = 1, **selection: Any) -> Any:
        """Return the area of a selection of scans as a MOC, which Aladin and others read.

        Parameters
        ----------
        order : int, optional
            HEALPix order of the smallest cells; by default 12 (51 arcsec) for up to a thousand
            scans, and 10 (3.4 arcmin) for more.
        min_depth : int, optional
            With 1, all cells that any of the scans touches; with more, those whose centre is
            covered by so many of them or more (order 10 at most).
        **selection
            See `select`.

        Returns
        -------
        `mocpy.MOC`
            ``moc.save(path, format="fits")`` writes it.

        Raises
        ------
        PositionError
            If the order is impossible.
        """
        from mocpy import MOC

        rows = self.select(**selection)
        if order is None:
            order = 12 if len(rows) <= 1000 and min_depth <= 1 else _FINEST_DEPTH
        if not 0 <= order <= (13 if min_depth <= 1 else _FINEST_DEPTH):
            msg = f"a MOC of order {order} is not made here: 0 to 13, with min_depth 0 to 10"
            raise PositionError(msg)
        moc = export.moc_of(self.footprints, rows, order)
        if min_depth <= 1 or len(rows) == 0:
            return moc
        cells, order = cells_of(moc, order)
        deep = cells[self._depth(1 << order, cells, True, {"rows": rows}) >= min_depth]
        depths = np.full(len(deep), order, np.uint8)
        return MOC.from_healpix_cells(deep.astype(np.uint64), depths, order)

    def regions(self, **selection: Any) -> Any:
        """Return footprints as a `regions.Regions` of polygons, each with its scan as its text."""
        rows = self.select(**selection)
        return export.region_list(self.footprints, rows, scan_names(self.table[rows]))

    def ds9(self, **selection: Any) -> str:
        """Return footprints as the text of a DS9 region file, which Aladin reads too."""
        rows = self.select(**selection)
        names = scan_names(self.table[rows])
        return export.ds9_text(self.footprints, rows, names, self.any_simulated(rows))

    def stcs(self, **selection: Any) -> str:
        """Return footprints as STC-S, a line a scan, in the order of `select`."""
        return export.stcs_text(self.footprints, self.select(**selection))

    def files(self, rows: Any) -> Table:
        """Return where the raw files of rows of `table` are in the archive.

        Returns
        -------
        `~astropy.table.Table`
            scan_id, night (folder, "000529s"), j, h and k (file in it, "j1186063.rds.gz"), and
            with raw_scans the labels of tape and disk.
        """
        return file_names(self.table[np.asarray(rows, np.intp)])

    def find_tile(self, coord: SkyCoord) -> Table:
        """Return every observation of the tile or tiles that a position lies in.

        Parameters
        ----------
        coord : `~astropy.coordinates.SkyCoord`
            One position.

        Returns
        -------
        `~astropy.table.Table`
            As `scans` gives them, sorted by tile and date, and ``covers``: whether this
            observation covers the position (scans of one tile do not lie on each other exactly).

        Raises
        ------
        PositionError
            If it is not one position.
        NotFoundError
            If the scan table does not list tiles.
        """
        if "tile" not in self.table.colnames:
            msg = "this scan table has no column tile"
            raise NotFoundError(msg)
        if not isinstance(coord, SkyCoord) or not coord.isscalar:
            msg = f"{coord!r} is not one position: give a SkyCoord"
            raise PositionError(msg)
        covering = self.query(coord.icrs.ra.deg, coord.icrs.dec.deg)[1]
        tiles = np.ma.asarray(self.table["tile"])
        known = np.unique(np.ma.compressed(tiles[covering]))
        rows = np.flatnonzero(np.ma.filled(np.ma.isin(tiles, known[known >= 0]), False))
        order = np.lexsort([self.table[name][rows] for name in ("scan", "date")] + [tiles[rows]])
        result = self.scans(rows[order])
        result["covers"] = np.isin(result["i_scan"], covering)
        return result

    def night(self, name: str) -> Table:
        """Return every scan of a night, in their order, with what is known of it.

        Parameters
        ----------
        name : str
            As "000529s", or "2000-05-29 s".

        Returns
        -------
        `~astropy.table.Table`
            As `scans` gives them. With raw_scans also those without a footprint (darks, say),
            whose ``i_scan`` is -1 and whose corners are masked.

        Raises
        ------
        NotFoundError
            If no scan of that night is known.
        ScanNameError
            If the name is not that of a night.
        """
        text = str(name).strip()
        try:
            one = ScanId.parse(f"{text}001" if len(text) == 7 else f"{text} 1")
        except ScanNameError:
            msg = f"{name!r} is not a night: write it as 000529s or 2000-05-29 s"
            raise ScanNameError(msg) from None
        date = one.date.isoformat()
        result = self.scans(self.select(hemis=one.hemis, dates=date))
        if len(self.unplaced):
            more = self.unplaced[
                (np.asarray(self.unplaced["date"]) == date)
                & (np.asarray(self.unplaced["hemis"]) == one.hemis)
            ]
            more.add_columns(
                [np.full(len(more), -1), scan_names(more)], indexes=[0, 0],
                names=["i_scan", "scan_id"],
            )  # fmt: skip
            result = vstack([result, more], metadata_conflicts="silent")
        if len(result) == 0:
            msg = f"no scan of the night {one.night} is known to this locator"
            raise NotFoundError(msg)
        result.sort(IDENTITY)
        result["scan_id"] = Column(np.asarray(result["scan_id"]).astype(str))
        return result
