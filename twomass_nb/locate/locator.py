"""The question the archive could not answer: which scans, frames and pixels saw a position."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

import healpy as hp
import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from ..array.track import unit_vector
from ..errors import PositionError
from ..tables.scan_table import as_scan_table, is_simulated
from .answer import answer
from .assemble import with_logs, with_raw_scans
from .footprint import Footprints
from .index import PixelIndex
from .storage import load_index, save_index

__all__ = ["ScanLocator"]

_WIDEST_MARGIN = 36000.0
# Positions are answered in slices, so that a million of them need no gigabytes.
_SLICE = 65536


class ScanLocator:
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
        well, with predicted footprints and ``source`` "lgo".

    Attributes
    ----------
    table : `~astropy.table.Table`
        The rows of `scans` as given, then those known from `lgo` only. A scan's number in the
        answers is a row of it.
    footprints : Footprints
    index : PixelIndex

    Raises
    ------
    TableError
        If a table lacks what is needed, or a row's corners make no footprint.
    """

    def __init__(
        self,
        scans: Table,
        raw_scans: Table | None = None,
        lgo: Table | Iterable[Table] | None = None,
    ) -> None:
        table = as_scan_table(scans)
        if lgo is not None:
            table = with_logs(table, lgo)
        if raw_scans is not None:
            table = with_raw_scans(table, raw_scans)
        self.table = table
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
    def source(self) -> str:
        """One sentence on where the scans are from."""
        where = self.table.meta.get("path") or "a table in memory"
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
        ra, dec = np.broadcast_arrays(np.asarray(ra, float), np.asarray(dec, float))
        ra, dec = ra.ravel(), dec.ravel()
        _check(ra, dec, margin)
        found = [
            self._query(ra[i : i + _SLICE], dec[i : i + _SLICE], margin, i)
            for i in range(0, len(ra), _SLICE)
        ]
        if len(found) == 1:
            return found[0]
        none = np.zeros(0, np.intp)
        i_position, i_scan = (np.concatenate([none, *(part[k] for part in found)]) for k in (0, 1))
        return i_position, i_scan

    def _query(
        self, ra: NDArray[np.float64], dec: NDArray[np.float64], margin: float, first: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        points = unit_vector(ra, dec)
        if self.index.covers(margin):
            i_position, i_scan = self.index.near(ra, dec)
        else:
            i_position, i_scan = self.index.within(points, self.footprints.reach(margin))
        inside = self.footprints.inside(i_scan, points[i_position], margin)
        return i_position[inside] + first, i_scan[inside].astype(np.intp)

    def covering(self, coord: SkyCoord, margin: u.Quantity = 0 * u.arcsec) -> Table:
        """Return the scans that cover one position, with the frames and pixel that see it.

        Parameters
        ----------
        coord : `~astropy.coordinates.SkyCoord`
            One position, in any frame.
        margin : `~astropy.units.Quantity`, optional
            Angle by which every edge is moved out, or in where negative. Corners bound the area
            of all three bands, and true edges wander by 2 arcsec, rarely 8: ask for a margin to
            see what lies close.

        Returns
        -------
        `~astropy.table.Table`
            One row a scan, in the order of `table`: scan_id (as "000529s063"), date, hemis, scan,
            tile, sd, source ("scn" exact corners, "lgo" or "atlas" predicted, "sim" simulated),
            dist_edge_ew and dist_edge_ns (arcsec to the nearer edge, positive inside),
            dist_edge_flg (which edges: n or s, then e or w), first_frame, last_frame and
            best_frame that see the position (from 0; -1 where none does: corners reach a little
            beyond the J array), x and y (its pixel in the best frame, J, from 0; NaN where none).
            With raw_scans also what they say of the scan.

        Raises
        ------
        PositionError
            If it is not one position on the sky, or the margin is not an angle.
        """
        ra, dec = _degrees(coord)
        if ra.ndim != 0:
            msg = f"covering takes one position, not {ra.size}: use covering_many"
            raise PositionError(msg)
        _, i_scan = self.query(ra, dec, _arcsec(margin))
        table = answer(self.table, self.footprints, i_scan, float(ra), float(dec))
        table.meta["source"] = self.source
        if self.simulated:
            table.meta["SIMULATE"] = True
        return table

    def covering_many(
        self, coords: SkyCoord, margin: u.Quantity = 0 * u.arcsec
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the scans that cover many positions.

        Parameters
        ----------
        coords : `~astropy.coordinates.SkyCoord`
            Positions, in any frame.
        margin : `~astropy.units.Quantity`, optional
            See `covering`.

        Returns
        -------
        i_coord, i_scan : array of int
            See `query`.

        Raises
        ------
        PositionError
            If a position is not on the sky, or the margin is not an angle.
        """
        return self.query(*_degrees(coords), _arcsec(margin))

    def coverage(self, nside: int = 64) -> NDArray[np.int64]:
        """Return how many scans cover each pixel's centre, as a HEALPix map (ring scheme).

        Parameters
        ----------
        nside : int, optional
            A power of 2.

        Raises
        ------
        PositionError
            If `nside` is not a power of 2.
        """
        if not hp.isnsideok(nside, nest=True):
            msg = f"nside={nside!r} is not a power of 2"
            raise PositionError(msg)
        pixels = hp.nside2npix(nside)
        i_position, _ = self.query(*hp.pix2ang(nside, np.arange(pixels), lonlat=True))
        return np.bincount(i_position, minlength=pixels)

    def save(self, path: str | PathLike[str]) -> None:
        """Keep the locator, its table included, in one file; `path` is used exactly as given.

        Raises
        ------
        TableError
            If the file cannot be written. What was there before is then still there.
        """
        arrays = {
            "order": np.array(self.index.order),
            "offsets": self.index.offsets,
            "scans": self.index.scans,
            "corners": self.footprints.corners,
            "normals": self.footprints.normals,
        }
        save_index(path, self.table, arrays)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> ScanLocator:
        """Return a locator that was saved.

        Raises
        ------
        NotFoundError
            If there is no such file.
        TableError
            If it is not such a file, or broken.
        """
        table, arrays = load_index(path)
        locator = cls.__new__(cls)
        locator.table = table
        locator.footprints = Footprints(arrays["corners"], arrays["normals"])
        locator.index = PixelIndex(int(arrays["order"]), arrays["offsets"], arrays["scans"])
        return locator


def _degrees(coord: SkyCoord) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not isinstance(coord, SkyCoord):
        msg = (
            f"{coord!r} is not a position: give a SkyCoord, as SkyCoord(10.7 * u.deg, 41.3 * u.deg)"
        )
        raise PositionError(msg)
    icrs = coord.icrs
    return np.asarray(icrs.ra.deg), np.asarray(icrs.dec.deg)


def _arcsec(margin: u.Quantity) -> float:
    try:
        if isinstance(margin, u.Quantity) and margin.isscalar:
            return float(margin.to_value(u.arcsec))
    except u.UnitsError:
        pass
    msg = f"margin={margin!r} is not an angle: give one as 5 * u.arcsec"
    raise PositionError(msg)


def _check(ra: NDArray[np.float64], dec: NDArray[np.float64], margin: float) -> None:
    bad = ~(np.isfinite(ra) & (np.abs(dec) <= 90))
    if bad.any():
        i = int(np.argmax(bad))
        msg = f"position {i} (RA {ra[i]}, Dec {dec[i]}) is not on the sky: degrees, Dec -90 to 90"
        raise PositionError(msg)
    if not abs(margin) <= _WIDEST_MARGIN:
        msg = f"a margin of {margin} arcsec is not usable: it must be within 10 degrees"
        raise PositionError(msg)
