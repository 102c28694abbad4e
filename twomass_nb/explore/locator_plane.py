"""Positions a person gives, and the plane in which the sky around one of them is drawn."""

from __future__ import annotations

import os
import re

import numpy as np
from astropy.coordinates import SkyCoord

from ..array.track import lonlat, unit_vector
from ..errors import PositionError
from ..locate.position import parse_position

__all__ = ["Plane", "find_position", "find_positions"]


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


def find_positions(text: str) -> tuple[list[str], SkyCoord]:
    """Return the positions of a list, one a line.

    A line is a position, or a name and a position with a comma, semicolon or tab between them
    ("M 17, 274.99 -16.25"), or a position and its name after "#", or a name to be looked up.

    Returns
    -------
    names : list of str
        The line itself where it has no name.
    coords : `~astropy.coordinates.SkyCoord`, shape (n,)

    Raises
    ------
    PositionError
        If there is no line, or one is not understood; it says which.
    """
    names, found = [], []
    for number, line in enumerate(text.splitlines(), 1):
        what, _, name = (part.strip() for part in line.partition("#"))
        if not what:
            continue
        try:
            name, position = _named(what, name)
        except PositionError as error:
            message = f"line {number}: {error}"
            raise PositionError(message) from None
        names.append(name)
        found.append((position.ra.deg, position.dec.deg))
    if not found:
        message = "the list is empty: write one position a line, as 'M 17, 274.99 -16.25'"
        raise PositionError(message)
    return names, SkyCoord(np.array(found), unit="deg", frame="icrs")


def _named(what: str, name: str) -> tuple[str, SkyCoord]:
    try:
        return name or what, parse_position(re.sub(r"[;\t]", ",", what))
    except PositionError as error:
        first, *rest = re.split(r"[,;\t]", what, maxsplit=1)
        if rest and not name:
            return first.strip(), parse_position(re.sub(r"[;\t]", ",", rest[0].strip()))
        if rest or not what[0].isalpha():
            raise error from None
    return name or what, find_position(what)


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
