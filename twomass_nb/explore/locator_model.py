"""What the locator explorer shows, as plain numbers: position, scans, footprints in a plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord

from ..array.track import lonlat, unit_vector
from ..locate import selected
from ..scan import ScanId
from .locator_colours import Depth, Scale, depth_scale, scale_of
from .locator_plane import Plane, find_position

if TYPE_CHECKING:
    from astropy.table import Row, Table

__all__ = ["Footprints", "LocatorModel"]

#: Half height of a survey scan with some margin, degrees: how far a footprint reaches.
_REACH = 3.2


@dataclass
class Footprints:
    """Footprints in the plane; those that are listed and the selected one come last.

    Attributes
    ----------
    i_scan : array of int
        Rows of the locator's table.
    x, y : array, shape (n, 4)
        Corners in degrees to the east and north of the plane's centre.
    covers, selected : array of bool
        Whether a scan is in the table of the explorer (it covers the position), and is chosen.
    names : list of str
    scale : Scale or None
        What they are coloured by.
    """

    i_scan: np.ndarray
    x: np.ndarray
    y: np.ndarray
    covers: np.ndarray
    selected: np.ndarray
    names: list[str] = field(default_factory=list)
    scale: Scale | None = None


class LocatorModel:
    """A question to a locator, the scans that answer it, and the footprints around a position.

    Parameters
    ----------
    loc : `~twomass_nb.ScanLocator`
    position : `~astropy.coordinates.SkyCoord` or str, optional
        Where to start; by default the middle of the table's first scan.

    Attributes
    ----------
    asked : {"position", "box", "list"}
        What `table` answers: scans that cover the position, that overlap the box, that cover the
        targets of the list.
    table : `~astropy.table.Table`
    rows : array of int
        Row of the locator's table for each row of `table`.
    selection : dict
        What filters ask for, in the words of `twomass_nb.locate.selected`.
    kept : array of bool, or None
        Which scans of the locator the selection leaves; None for all.
    colour_by : str
        One of `locator_colours.offered`.
    box : (x0, y0, x1, y1) or None
        The box last dragged, in the plane.
    targets : `~astropy.coordinates.SkyCoord` or None
        The list last given, and `target_names`.
    """

    def __init__(self, loc: Any, position: SkyCoord | str | None = None) -> None:
        self.loc = loc
        middles = loc.footprints.corners.sum(axis=1)
        self._middles = middles / np.linalg.norm(middles, axis=-1, keepdims=True)
        self.half_width = 0.75
        self.selected: int | None = None
        self.selection: dict[str, Any] = {}
        self.kept: np.ndarray | None = None
        self._depth = Depth(loc, None)
        self.colour_by = "covering"
        self.asked = "position"
        self.box: tuple[float, float, float, float] | None = None
        self.region: Any = None
        self.targets: SkyCoord | None = None
        self.target_names: list[str] = []
        self.table: Table
        self.rows: np.ndarray
        if position is None:
            ra, dec = lonlat(self._middles[0])
            position = SkyCoord(float(ra), float(dec), unit="deg", frame="icrs")
        self.go(find_position(position) if isinstance(position, str) else position)

    @property
    def simulated(self) -> bool:
        """Whether any scan of the scan table is simulated."""
        return bool(self.loc.simulated)

    @property
    def listed_simulated(self) -> bool:
        """Whether any scan of `table` is simulated."""
        return bool(self.loc.any_simulated(self.rows))

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
        position = position.icrs
        self._answer("position", position)
        self.position = position
        self.box = self.region = None
        if recentre:
            self._centre(position)

    def take_box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Find the scans that overlap a box of the picture: its sides are great circles."""
        from regions import PolygonSkyRegion

        xs, ys = sorted((x0, x1)), sorted((y0, y1))
        corners = [(xs[0], ys[0]), (xs[1], ys[0]), (xs[1], ys[1]), (xs[0], ys[1])]
        places = [self.plane.sky(*corner) for corner in corners]
        vertices = SkyCoord(
            [place.ra.deg for place in places], [place.dec.deg for place in places],
            unit="deg", frame="icrs",
        )  # fmt: skip
        region = PolygonSkyRegion(vertices)
        self._answer("box", region)
        self.box, self.region = (xs[0], ys[0], xs[1], ys[1]), region

    def take_list(self, names: list[str], targets: SkyCoord) -> None:
        """Find the scans that cover the targets of a list, and turn to the first."""
        self._answer("list", targets.icrs, names)
        self.targets, self.target_names = targets.icrs, list(names)
        self.box = self.region = None
        self.position = self.targets[0]
        self._centre(self.position)

    def filter(self, selection: dict[str, Any]) -> None:
        """Ask the same again of a selection of scans.

        Raises
        ------
        TableError
            If the scan table cannot answer it. Nothing has changed then.
        """
        keep = selected(self.loc.table, **selection) if selection else None
        old, self.selection = self.selection, dict(selection)
        try:
            self._answer(self.asked, *self.question())
        except Exception:
            self.selection = old
            raise
        self.kept = keep
        self._depth = Depth(self.loc, keep)

    def question(self) -> tuple[Any, ...]:
        """Return what `table` was asked with: a position, a region, or targets and names."""
        if self.asked == "list":
            return self.targets, self.target_names
        return (self.region if self.asked == "box" else self.position,)

    def _answer(self, asked: str, what: Any, names: list[str] | None = None) -> None:
        if asked == "box":
            table = self.loc.overlapping(what, **self.selection)
            rows = np.asarray(table["i_scan"])
        elif asked == "list":
            i_coord, rows = pairs = self.loc.covering_many(what, **self.selection)
            table = self.loc.answers(what, pairs)
            table.add_column(np.array(names or [], object)[i_coord].astype(str), 0, "target")
        else:
            _, rows = self.loc.covering_many(what.reshape(1), **self.selection)
            table = self.loc.covering(what, **self.selection)
        self.table, self.rows, self.asked, self.selected = table, rows, asked, None

    def _centre(self, position: SkyCoord) -> None:
        self.plane = Plane(position)
        self.look(0.0, 0.0, self.half_width)

    def tap(self, x: float, y: float) -> None:
        """Take the position under a place of the picture, which stays where it is."""
        self.go(self.plane.sky(x, y), recentre=False)

    def look(self, x: float, y: float, half_width: float) -> None:
        """Turn the picture to another part of the plane (degrees)."""
        self.view = (float(x), float(y))
        self.half_width = float(half_width)

    def select(self, row: int | None) -> None:
        """Select a row of `table`; of a list, its target becomes the position."""
        self.selected = None if row is None or row < 0 else int(row)
        if self.selected is not None and self.asked == "list":
            self.position = self.targets[self.table["i_coord"][self.selected]]
            if max(np.abs(self.marker())) > self.half_width or np.isnan(self.marker()).any():
                self._centre(self.position)

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
        if self.kept is not None:
            inside &= self.kept[near]
        near, x, y = near[inside], x[inside], y[inside]
        chosen = -1 if self.selected is None else self.rows[self.selected]
        covers, picked = np.isin(near, self.rows), near == chosen
        order = np.argsort(covers + 2 * picked, kind="stable")
        near, x, y, covers, picked = (part[order] for part in (near, x, y, covers, picked))
        scale = None
        if self.colour_by == "depth":
            scale = depth_scale(self._depth(near))
        elif self.colour_by != "covering":
            scale = scale_of(self.colour_by, self.loc.table, near)
        return Footprints(near, x, y, covers, picked, [self._name(i) for i in near], scale)

    def _name(self, i: int) -> str:
        row = self.loc.table[int(i)]
        return str(ScanId(str(row["date"]), str(row["hemis"]), int(row["scan"])))

    # words -------------------------------------------------------------------------------------

    def answer_text(self) -> str:
        """Return how many scans answer what was asked."""
        count = len(self.table)
        scans = "1 scan" if count == 1 else f"{count or 'no'} scans"
        if self.asked == "list":
            found, wanted = len(np.unique(self.table["i_coord"])), len(self.target_names)
            text = f"{count} row{'s' * (count != 1)}: {found} of {wanted} targets are covered"
        elif self.asked == "box":
            width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
            text = f"{scans} overlap{'s' * (count == 1)} the box, {width:.2f}° × {height:.2f}°"
        else:
            text = f"{scans} cover{'s' * (count == 1)} {self.position_text()}"
        if self.selection:
            kept = int(self.kept.sum()) if self.kept is not None else len(self.loc.table)
            text += f"; filters leave {kept:,} of {len(self.loc.table):,} scans"
        return text[:1].upper() + text[1:]

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
