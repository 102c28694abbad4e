"""The question the archive could not answer: which scans, frames and pixels saw a position."""

from __future__ import annotations

import os
from os import PathLike
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from ..errors import PositionError
from .answer import answer, frame_table
from .areas import Areas
from .asked import arcsec, degrees
from .export import code_of
from .footprint import Footprints
from .index import Level, PixelIndex
from .select import selected
from .storage import load_index, save_index

__all__ = ["ScanLocator"]


class ScanLocator(Areas):
    """Finds the scans that cover a position, exactly to the edges that their corners make.

    Parameters
    ----------
    scans : `~astropy.table.Table`
        A scan table, as `read_scan_table` or `simulate.scan_table` give it.
    raw_scans : `~astropy.table.Table`, optional
        Raw scan table (date, hemis, scan and any of s_type, frames, as_cat, tape_label,
        disk_label), joined to the answers.
    lgo : `~astropy.table.Table` or list of them, optional
        Night logs, as `read_lgo` gives them. Their scans that are not in `scans` are searched as
        well, with predicted footprints and ``source`` "lgo" ("sim" if the log is simulated).
    atlas : `~astropy.table.Table`, optional
        Scans of `scan_table_from_atlas`, searched likewise, with ``source`` "atlas". Where a
        scan is in several, `scans` is preferred, then `atlas`.

    Attributes
    ----------
    table : `~astropy.table.Table`
        The rows of `scans` as given, then those known from `atlas` or `lgo` only. A scan's number
        in the answers is a row of it. Where some are predicted, ``in_scan_error`` and
        ``cross_scan_error`` (arcsec, half range) say how far each may be off.
    unplaced : `~astropy.table.Table`
        Rows of `raw_scans` that have no footprint, so that no position finds them.
    footprints : Footprints
    index : PixelIndex
    path : str or None
        The index file it was loaded from.

    Raises
    ------
    TableError
        If a table lacks what is needed, or a row's corners make no footprint.
    """

    def covering(
        self, coord: SkyCoord, margin: u.Quantity = 0 * u.arcsec, **selection: Any
    ) -> Table:
        """Return the scans that cover one position, with the frames and pixel that see it.

        Parameters
        ----------
        coord : `~astropy.coordinates.SkyCoord`
            One position, in any frame.
        margin : `~astropy.units.Quantity`, optional
            Angle by which every edge is moved out, or in where negative. Corners bound the area
            of all three bands, and true edges wander by 2 arcsec, rarely 8: ask for a margin to
            see what lies close. A footprint predicted from a log may be off by 125 arcsec.
        **selection
            See `select`.

        Returns
        -------
        `~astropy.table.Table`
            One row a scan, in the order of `table`: scan_id (as "000529s063"), date, hemis, scan,
            tile, sd, source ("scn" exact corners, "lgo" or "atlas" predicted, "sim" simulated),
            dist_edge_ew and dist_edge_ns (arcsec to the nearer edge, positive inside),
            dist_edge_flg (which edges: n or s, then e or w), first_frame, last_frame and
            best_frame that see the position (from 0; -1 where none does: corners reach a little
            beyond the J array), x and y (its pixel in the best frame, J, from 0; NaN where none).
            With raw_scans also what they say of the scan; with predicted footprints also
            in_scan_error and cross_scan_error. x and y are J's pixel:
            ``loc.frames(coords, bands="k")`` gives another band's, with ``every=True`` in each
            frame.
            ``meta["SIMULATE"]`` is True if any of these scans is simulated.

        Raises
        ------
        PositionError
            If it is not one position on the sky, or the margin is not an angle.
        """
        ra, dec = degrees(coord)
        if ra.ndim != 0:
            msg = f"covering takes one position, not {ra.size}: use covering_many"
            raise PositionError(msg)
        _, i_scan = self._chosen(ra, dec, margin, selection)
        table = answer(self.table, self.footprints, i_scan, float(ra), float(dec))
        table.meta["position"] = {"ra": float(ra), "dec": float(dec)}
        return self._signed(table, i_scan)

    def covering_many(
        self, coords: SkyCoord, margin: u.Quantity = 0 * u.arcsec, **selection: Any
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the scans that cover many positions.

        Parameters
        ----------
        coords : `~astropy.coordinates.SkyCoord`
            Positions, in any frame.
        margin, **selection
            See `covering`.

        Returns
        -------
        i_coord, i_scan : array of int
            See `query`. ``loc.answers(coords, pairs)`` has the columns of `covering` for them.

        Raises
        ------
        PositionError
            If a position is not on the sky, or the margin is not an angle.
        """
        return self._chosen(*degrees(coords), margin, selection)

    def answers(self, coords: SkyCoord, pairs: tuple[Any, Any]) -> Table:
        """Return the table of `covering` for pairs that `covering_many` gave, after i_coord."""
        ra, dec = (part.ravel() for part in degrees(coords))
        i_coord, i_scan = (np.asarray(part, np.intp) for part in pairs)
        table = answer(self.table, self.footprints, i_scan, ra[i_coord], dec[i_coord])
        table.add_column(i_coord, name="i_coord", index=0)
        return self._signed(table, i_scan)

    def frames(
        self, coords: SkyCoord, bands: str = "jhk", margin: u.Quantity = 0 * u.arcsec,
        every: bool = False, **selection: Any,
    ) -> Table:  # fmt: skip
        """Return the frames that see positions, in each band, and the pixels.

        Parameters
        ----------
        coords : `~astropy.coordinates.SkyCoord`
            One position or many.
        bands : str, optional
            Any of j, h and k.
        margin, **selection
            See `covering`.
        every : bool, optional
            One row a frame (six or seven for a survey scan) instead of one row a scan and band.

        Returns
        -------
        `~astropy.table.Table`
            i_coord (place in the flattened input), i_scan (row of `table`), scan_id, band; then
            first_frame, last_frame, best_frame, x and y as in `covering`, or, with `every`,
            frame, x, y and best (whether it is the best frame). All count from 0.

        Raises
        ------
        PositionError
            If a position is not on the sky, or the margin is not an angle.
        ScanNameError
            If there is no such band.
        """
        ra, dec = (part.ravel() for part in degrees(coords))
        pairs = self._chosen(ra, dec, margin, selection)
        table = frame_table(self.table, self.footprints, pairs, ra, dec, bands, every)
        return self._signed(table, table["i_scan"])

    def _chosen(
        self, ra: Any, dec: Any, margin: Any, selection: dict[str, Any]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        i_position, i_scan = self.query(ra, dec, arcsec(margin))
        if selection:
            keep = selected(self.table, **selection)[i_scan]
            i_position, i_scan = i_position[keep], i_scan[keep]
        return i_position, i_scan

    def _signed(self, table: Table, i_scan: Any) -> Table:
        table.meta["source"] = self.source
        if self.any_simulated(i_scan):
            table.meta["SIMULATE"] = True
        return table

    def code(self, method: str, *args: Any, **options: Any) -> str:
        """Return Python code that asks a question of this locator again, in another session.

        Parameters
        ----------
        method : str
            Name of a method, as "covering".
        *args, **options
            What it was called with: positions, angles, regions (not MOCs), selections.

        Examples
        --------
        >>> print(loc.code("covering", coord, margin=10 * u.arcsec))  # doctest: +SKIP
        """
        if not callable(getattr(type(self), method, None)):
            msg = f"a locator has no method {method!r}"
            raise PositionError(msg)
        words = [code_of(value) for value in args]
        words += [f"{name}={code_of(value)}" for name, value in options.items()]
        call = ", ".join(words)
        meta = self.table.meta
        if self.path:
            made = f"tm.ScanLocator.load({self.path!r})"
        elif not self.as_made:
            made = "tm.ScanLocator(scans)  # scans: a table made in memory; save() keeps it"
        elif "made_by" in meta:
            made = f"tm.ScanLocator(tm.{meta['made_by']})  # simulated, never observed"
        else:
            path = str(meta.get("path", "twomass_scn"))
            made = f"tm.ScanLocator(tm.read_scan_table({path!r}))"
        lines = ["import twomass_nb as tm"]
        lines += [
            line for word, line in (
                ("regions.", "import regions"),
                ("u.", "from astropy import units as u"),
                ("SkyCoord(", "from astropy.coordinates import SkyCoord"),
            ) if word in call.replace("regions.", "") + call * (word == "regions.")
        ]  # fmt: skip
        return "\n".join([*lines, "", f"loc = {made}", f"loc.{method}({call})", ""])

    def save(self, path: str | PathLike[str]) -> None:
        """Keep the locator, its tables included, in one file; `path` is used exactly as given.

        Raises
        ------
        TableError
            If the file cannot be written. What was there before is then still there.
        """
        arrays: dict[str, NDArray[Any]] = {
            "corners": self.footprints.corners,
            "normals": self.footprints.normals,
            "slabs": self.index.slabs,
            "levels": np.array([(level.order, level.pad) for level in self.index.levels]),
        }
        for k, level in enumerate(self.index.levels):
            arrays |= {f"offsets_{k}": level.offsets, f"scans_{k}": level.scans}
        save_index(path, {"scans": self.table, "unplaced": self.unplaced}, arrays)

    @classmethod
    def load(cls, path: str | PathLike[str], verify: bool = True) -> ScanLocator:
        """Return a locator that was saved: mapped into memory, shared with others that load it.

        Parameters
        ----------
        path : path
        verify : bool, optional
            Compare the checksum of every byte (a few milliseconds, once the file is in memory).
            Without it the head and the file's size are checked, and nothing else is read.

        Raises
        ------
        NotFoundError
            If there is no such file.
        TableError
            If it is not such a file, of another version, or broken.
        """
        tables, arrays = load_index(path, verify)
        locator = cls.__new__(cls)
        locator.table, locator.unplaced = tables["scans"], tables["unplaced"]
        locator.footprints = Footprints(arrays["corners"], arrays["normals"])
        levels = tuple(
            Level(int(order), float(pad), arrays[f"offsets_{k}"], arrays[f"scans_{k}"])
            for k, (order, pad) in enumerate(arrays["levels"].tolist())
        )
        locator.index = PixelIndex(locator.footprints, arrays["slabs"], levels)
        locator.path = os.fspath(path)
        return locator
