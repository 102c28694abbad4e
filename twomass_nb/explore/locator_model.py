"""What the locator explorer shows, as plain numbers: position, scans, footprints in a plane."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord

from ..array.track import lonlat, unit_vector
from ..errors import PositionError
from ..locate.position import parse_position
from ..scan import ScanId

if TYPE_CHECKING:
    from astropy.table import Row, Table

__all__ = ["Footprints", "LocatorModel", "Plane", "find_position"]

#: Half height of a survey scan with some margin, degrees: how far a footprint reaches.
_REACH = 3.2


def find_position(text: str) -> SkyCoord:
    """Return the position a text gives, or that of the object it names (asks CDS Sesame).

    Raises
    ------
    PositionError
        If it is neither, or names cannot be looked up here.
    """
    try:
        return parse_position(text)
    except PositionError:
        if not any(character.isalpha() for character in text):
            raise
    how = "write the position instead, as '274.99 -16.25' or '18:19:59.8 -16:14:49'"
    if os.environ.get("TWOMASS_NB_OFFLINE") == "1":
        message = f"{text!r} is not a position, and names are not looked up offline: {how}"
        raise PositionError(message)
    from astropy.coordinates.name_resolve import NameResolveError
    from astropy.utils.data import conf

    try:
        with conf.set_temp("remote_timeout", 5.0):
            return SkyCoord.from_name(text).icrs
    except (NameResolveError, OSError):
        message = f"{text!r} is not a position, and CDS did not answer or does not know it: {how}"
        raise PositionError(message) from None


class Plane:
    """The tangent plane at a position: degrees east (x) and north (y); great circles are straight.

    Parameters
    ----------
    center : `~astropy.coordinates.SkyCoord`
        Where the plane touches the sky; a pole is as good as any other place.
    """

    def __init__(self, center: SkyCoord) -> None:
        self.center = center.icrs
        ra, dec = np.deg2rad(self.center.ra.deg), np.deg2rad(self.center.dec.deg)
        self.axis = unit_vector(self.center.ra.deg, self.center.dec.deg)
        self.east = np.array([-np.sin(ra), np.cos(ra), 0.0])
        self.north = np.array([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)])

    def project(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y in degrees of unit vectors, shape (..., 3); NaN on the far half."""
        toward = vectors @ self.axis
        toward = np.where(toward > 0.05, toward, np.nan)  # beyond 87 degrees nothing is drawn
        return np.rad2deg(vectors @ self.east / toward), np.rad2deg(vectors @ self.north / toward)

    def sky(self, x: float, y: float) -> SkyCoord:
        """Return the position at a place of the plane."""
        vector = self.axis + np.deg2rad(x) * self.east + np.deg2rad(y) * self.north
        ra, dec = lonlat(vector)
        return SkyCoord(float(ra), float(dec), unit="deg", frame="icrs")


@dataclass
class Footprints:
    """Footprints in the plane; those that cover the position and the selected one come last.

    Attributes
    ----------
    i_scan : array of int
        Rows of the locator's table.
    x, y : array, shape (n, 4)
        Corners in degrees to the east and north of the plane's centre.
    covers, selected : array of bool
    names : list of str
    """

    i_scan: np.ndarray
    x: np.ndarray
    y: np.ndarray
    covers: np.ndarray
    selected: np.ndarray
    names: list[str] = field(default_factory=list)


class LocatorModel:
    """A position, the scans that cover it, and the footprints around it.

    Parameters
    ----------
    loc : `~twomass_nb.ScanLocator`
    position : `~astropy.coordinates.SkyCoord` or str, optional
        Where to start; by default the middle of the table's first scan.
    """

    def __init__(self, loc: Any, position: SkyCoord | str | None = None) -> None:
        self.loc = loc
        middles = loc.footprints.corners.sum(axis=1)
        self._middles = middles / np.linalg.norm(middles, axis=-1, keepdims=True)
        self.half_width = 0.75
        self.selected: int | None = None
        self.table: Table
        if position is None:
            ra, dec = lonlat(self._middles[0])
            position = SkyCoord(float(ra), float(dec), unit="deg", frame="icrs")
        self.go(find_position(position) if isinstance(position, str) else position)

    @property
    def simulated(self) -> bool:
        """Whether the scan table is simulated."""
        return bool(self.loc.simulated)

    @property
    def selected_row(self) -> Row | None:
        """The row of `table` that is selected."""
        return None if self.selected is None else self.table[self.selected]

    @property
    def selected_scan(self) -> ScanId | None:
        """The scan that is selected."""
        row = self.selected_row
        return None if row is None else ScanId.parse(row["scan_id"])

    def go(self, position: SkyCoord, *, recentre: bool = True) -> None:
        """Take a position: find the scans that cover it, select none.

        Parameters
        ----------
        position : `~astropy.coordinates.SkyCoord`
        recentre : bool, optional
            Put it in the middle of the picture.
        """
        self.table = self.loc.covering(position.icrs)
        self.position = position.icrs
        self.selected = None
        if recentre:
            self.plane = Plane(self.position)
            self.look(0.0, 0.0, self.half_width)

    def tap(self, x: float, y: float) -> None:
        """Take the position under a place of the picture, which stays where it is."""
        self.go(self.plane.sky(x, y), recentre=False)

    def look(self, x: float, y: float, half_width: float) -> None:
        """Turn the picture to another part of the plane (degrees)."""
        self.view = (float(x), float(y))
        self.half_width = float(half_width)

    def select(self, row: int | None) -> None:
        """Select a row of `table`."""
        self.selected = None if row is None or row < 0 else int(row)

    def marker(self) -> tuple[float, float]:
        """Return the place of the position in the plane."""
        x, y = self.plane.project(unit_vector(self.position.ra.deg, self.position.dec.deg))
        return float(x), float(y)

    def footprints(self, beyond: float = 1.5) -> Footprints:
        """Return footprints within `beyond` times the picture's half width of its middle."""
        side = self.half_width * beyond
        middle = self.plane.sky(*self.view)
        toward = self._middles @ unit_vector(middle.ra.deg, middle.dec.deg)
        near = np.flatnonzero(toward > np.cos(np.deg2rad(min(np.hypot(side, side) + _REACH, 80))))
        x, y = self.plane.project(self.loc.footprints.corners[near])
        inside = np.isfinite(x).all(axis=1)
        for place, centre in ((x, self.view[0]), (y, self.view[1])):
            inside &= (place.min(axis=1) < centre + side) & (place.max(axis=1) > centre - side)
        near, x, y = near[inside], x[inside], y[inside]
        names = [self._name(i) for i in near]
        chosen = None if self.selected_scan is None else str(self.selected_scan)
        covering = {str(name) for name in self.table["scan_id"]}
        covers = np.array([name in covering for name in names], bool)
        selected = np.array([name == chosen for name in names], bool)
        order = np.argsort(covers + 2 * selected, kind="stable")
        return Footprints(
            near[order], x[order], y[order], covers[order], selected[order],
            [names[i] for i in order],
        )  # fmt: skip

    def _name(self, i: int) -> str:
        row = self.loc.table[int(i)]
        return str(ScanId(str(row["date"]), str(row["hemis"]), int(row["scan"])))

    # words -------------------------------------------------------------------------------------

    def position_text(self, position: SkyCoord | None = None) -> str:
        """Return a position as a person writes it, to 0.01 arcsec."""
        position = self.position if position is None else position
        return position.to_string("hmsdms", sep=":", precision=2)

    def source_text(self) -> str:
        """Return where the scan table is from, how many scans it has, how exact edges are."""
        source = str(self.loc.source)
        return (
            f"{source[:1].upper()}{source[1:]}. A scan's true edge wanders about 2″ from the "
            "straight one used here, rarely 8″."
        )
