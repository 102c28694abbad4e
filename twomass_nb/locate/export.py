"""Footprints and queries as others read them: regions, DS9, STC-S, MOC, Python code."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from ..array.track import lonlat
from ..errors import PositionError
from .footprint import Footprints
from .overlap import mocs_of

__all__ = ["code_of", "ds9_text", "moc_of", "region_list", "stcs_text"]


def _polygons(
    footprints: Footprints, rows: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """RA and Dec (n, 4) of corners, counterclockwise as seen from inside with north up."""
    corners = footprints.corners[rows]
    turn = np.sum(np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2], axis=-1)
    return lonlat(np.where((turn > 0)[:, None, None], corners[:, ::-1], corners))


def region_list(footprints: Footprints, rows: NDArray[np.integer], names: Any) -> Any:
    """Return footprints as a `regions.Regions` of polygons, each with its scan as its text."""
    from regions import PolygonSkyRegion, Regions

    ra, dec = _polygons(footprints, rows)
    return Regions(
        [
            PolygonSkyRegion(SkyCoord(ra[i], dec[i], unit="deg"), meta={"text": str(names[i])})
            for i in range(len(rows))
        ]
    )


def _lines(footprints: Footprints, rows: NDArray[np.integer], form: str) -> list[str]:
    ra, dec = _polygons(footprints, rows)
    flat = np.stack([ra, dec], axis=-1).reshape(len(ra), 8)
    return [form % tuple(line) for line in flat.tolist()]


def ds9_text(footprints: Footprints, rows: NDArray[np.integer], names: Any, simulated: bool) -> str:
    """Return a DS9 region file; Aladin reads it too."""
    polygons = _lines(footprints, rows, "polygon(" + ",".join(["%.7f"] * 8) + ")")
    head = ["# Region file format: DS9", "# 2MASS scan footprints by twomass_nb"]
    head += ["# SIMULATE = T: these scans never were"] if simulated else []
    lines = [f"{line} # text={{{name}}}" for line, name in zip(polygons, names, strict=True)]
    return "\n".join([*head, "icrs", *lines, ""])


def stcs_text(footprints: Footprints, rows: NDArray[np.integer]) -> str:
    """Return a line of STC-S a scan."""
    lines = _lines(footprints, rows, "Polygon ICRS" + " %.7f" * 8)
    return "\n".join([*lines, ""])


def moc_of(footprints: Footprints, rows: NDArray[np.integer], order: int) -> Any:
    """Return the MOC of all cells of an order that any of the scans touches."""
    from mocpy import MOC

    if len(rows) == 0:
        return MOC.new_empty(order)
    mocs = mocs_of(footprints, rows, order)
    return mocs[0].union(*mocs[1:]) if len(mocs) > 1 else mocs[0]


_UNITS = {u.arcsec: "u.arcsec", u.arcmin: "u.arcmin", u.deg: "u.deg"}


def code_of(value: Any) -> str:
    """Return Python that makes a value again: positions, angles, regions, plain things.

    Raises
    ------
    PositionError
        If it is of a kind that no short code makes, as a MOC.
    """
    if isinstance(value, SkyCoord):
        icrs = value.icrs
        ra, dec = (np.asarray(angle.deg).tolist() for angle in (icrs.ra, icrs.dec))
        return f'SkyCoord({ra!r}, {dec!r}, unit="deg")'
    if isinstance(value, u.Quantity):
        angle = value if value.unit in _UNITS else value.to(u.arcsec)
        return f"{np.asarray(angle.value).tolist()!r} * {_UNITS[angle.unit]}"
    kind = type(value).__name__
    if hasattr(value, "vertices"):
        return f"regions.{kind}({code_of(value.vertices)})"
    if hasattr(value, "center") and hasattr(value, "radius"):
        return f"regions.{kind}({code_of(value.center)}, {code_of(u.Quantity(value.radius))})"
    if isinstance(value, np.ndarray | np.generic):
        return repr(value.tolist())
    if isinstance(value, str | int | float | bool | list | tuple | None):
        return repr(value)
    if hasattr(value, "isoformat"):
        return repr(value.isoformat())
    msg = f"no short code makes a {kind} again: save it and load it instead"
    raise PositionError(msg)
