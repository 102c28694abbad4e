"""The texts people write for a position on the sky."""

from __future__ import annotations

import re

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord

from ..errors import PositionError

__all__ = ["parse_position"]

_HOW = "write degrees, as '274.99 -16.25', or hours and degrees, as '18:19:59.8 -16:14:49'"
_GALACTIC = re.compile(r"^(?:l\s*=?\s*)(?P<l>\S+?)[\s,]+(?:b\s*=?\s*)(?P<b>\S+)$", re.IGNORECASE)


def parse_position(text: str) -> SkyCoord:
    """Return the position that a text gives, ICRS.

    Parameters
    ----------
    text : str
        RA and Dec: two numbers are degrees, sexagesimal RA is in hours; a comma or blanks
        between them. ``"l=15.1 b=-0.7"`` is galactic.

    Raises
    ------
    PositionError
        If the text is not a position, or not one on the sky.
    """
    words = str(text).strip().replace("−", "-")
    if match := _GALACTIC.match(words):
        pair, frame, in_hours = (match["l"], match["b"]), "galactic", False
    else:
        pair, frame = _halves(words), "icrs"
        in_hours = bool(re.search(r"[:h\s]", pair[0].strip()))
    try:
        lon = Angle(pair[0], u.hourangle if in_hours else u.deg)
        lat = Angle(pair[1], u.deg)
        if not (np.isfinite(lon.deg) and abs(lat.deg) <= 90 and -360 <= lon.deg <= 360):
            msg = (
                f"{text!r} is not on the sky: Dec must be within 90 degrees, RA within 360; {_HOW}"
            )
            raise PositionError(msg)
        return SkyCoord(lon, lat, frame=frame).icrs
    except (ValueError, u.UnitsError) as error:
        if isinstance(error, PositionError):
            raise
        msg = f"{text!r} is not a position: {_HOW}"
        raise PositionError(msg) from None


def _halves(words: str) -> tuple[str, str]:
    """Split a text into RA and Dec: at a comma, before a sign, or in the middle."""
    if words.count(",") == 1:
        ra, dec = words.split(",")
        return ra, dec
    if match := re.match(r"^(?P<ra>[^\s+-]\S*(?:\s+\S+)*?)\s*(?P<dec>[+-]\s*\d.*)$", words):
        return match["ra"], match["dec"]
    parts = words.split()
    if len(parts) % 2 or not parts:
        msg = f"{words!r} is not a position: {_HOW}"
        raise PositionError(msg)
    half = len(parts) // 2
    return " ".join(parts[:half]), " ".join(parts[half:])
