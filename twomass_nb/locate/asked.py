"""What a caller may ask with: positions on the sky, margins that are angles."""

from __future__ import annotations

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from ..errors import PositionError

__all__ = ["arcsec", "check", "degrees", "points"]

_WIDEST_MARGIN = 36000.0


def degrees(coord: SkyCoord) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return RA and Dec in degrees (ICRS) of positions in any frame."""
    if not isinstance(coord, SkyCoord):
        msg = (
            f"{coord!r} is not a position: give a SkyCoord, as SkyCoord(10.7 * u.deg, 41.3 * u.deg)"
        )
        raise PositionError(msg)
    icrs = coord.icrs
    return np.asarray(icrs.ra.deg), np.asarray(icrs.dec.deg)


def arcsec(margin: u.Quantity) -> float:
    """Return a margin in arcsec."""
    try:
        if isinstance(margin, u.Quantity) and margin.isscalar:
            return float(margin.to_value(u.arcsec))
    except u.UnitsError:
        pass
    msg = f"margin={margin!r} is not an angle: give one as 5 * u.arcsec"
    raise PositionError(msg)


def check(ra: NDArray[np.float64], dec: NDArray[np.float64], margin: float) -> None:
    """Refuse positions (deg) that are not on the sky, and margins (arcsec) beyond use."""
    good = np.isfinite(ra) & (np.abs(dec) <= 90)
    if not good.all():
        i = int(np.argmin(good))
        msg = f"position {i} (RA {ra[i]}, Dec {dec[i]}) is not on the sky: degrees, Dec -90 to 90"
        raise PositionError(msg)
    if not abs(margin) <= _WIDEST_MARGIN:
        msg = f"a margin of {margin} arcsec is not usable: it must be within 10 degrees"
        raise PositionError(msg)


def points(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit vectors (n, 3) of positions in degrees (n,): `unit_vector` for the fast door."""
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    xyz = np.empty((len(ra), 3))
    cos = np.cos(dec)
    xyz[:, 0], xyz[:, 1], xyz[:, 2] = cos * np.cos(ra), cos * np.sin(ra), np.sin(dec)
    return xyz
