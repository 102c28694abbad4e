"""What a caller may ask with: positions on the sky, margins that are angles."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Column
from astropy.utils.masked import Masked
from numpy.typing import NDArray

from ..errors import PositionError

__all__ = ["arcsec", "check", "degrees", "number_of_arcsec", "numbers_of_degrees", "points"]

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


def numbers_of_degrees(ra: Any, dec: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return RA and Dec (deg) as plain numbers of one shape.

    What has a unit is turned into degrees; what is masked is NaN, which `check` refuses.
    """
    ra, dec = _plain(ra, "ra"), _plain(dec, "dec")
    if ra.shape == dec.shape:
        return ra, dec
    try:
        ra, dec = np.broadcast_arrays(ra, dec)
    except ValueError:
        msg = f"ra and dec do not go together: they have the shapes {ra.shape} and {dec.shape}"
        raise PositionError(msg) from None
    return ra, dec


def _plain(value: Any, name: str) -> NDArray[np.float64]:
    if type(value) in (float, np.float64) or (
        type(value) is np.ndarray and value.dtype == np.float64
    ):  # nothing to do, and to be done fast
        return np.asarray(value)
    unit = value.unit if isinstance(value, u.Quantity | Column) else None
    try:
        numbers = value.value if isinstance(value, u.Quantity) else value
        mask: Any = False
        if isinstance(numbers, Masked):
            numbers, mask = numbers.unmasked, numbers.mask
        elif isinstance(numbers, np.ma.MaskedArray):
            numbers, mask = np.ma.getdata(numbers), np.ma.getmaskarray(numbers)
        numbers = np.asarray(numbers)
        text = numbers.dtype.kind == "O" and any(isinstance(v, str) for v in numbers.flat)
        if text or numbers.dtype.kind not in "iufO":
            raise TypeError
        plain = np.where(mask, np.nan, numbers.astype(float))
        return plain if unit is None else np.asarray((plain * unit).to_value(u.deg))
    except u.UnitsError:
        msg = f"{name} is in {unit}, which is not an angle: give degrees"
    except (TypeError, ValueError):
        msg = f"{name}={_short(value)} is not a number of degrees, nor an array of them"
    raise PositionError(msg)


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def number_of_arcsec(margin: Any) -> float:
    """Return a margin that is a number of arcsec, or has a unit, as a plain number."""
    if isinstance(margin, u.Quantity):
        return arcsec(margin)
    if isinstance(margin, np.ndarray) and margin.ndim == 0:
        margin = margin.item()
    if not isinstance(margin, Real):
        msg = f"margin={_short(margin)} is not a number of arcsec"
        raise PositionError(msg)
    return float(margin)


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
