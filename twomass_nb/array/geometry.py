"""How an array lies on the sky: plate scale, rotation, parity, and the dither they make.

Directions. Along a scan the telescope moves in declination. In array pixels, x is the column
and y the row, both counted from 0 at the pixel's centre, row 0 in the south. With the default
parity east is left, so x rises to the west: every real Atlas header has CDELT1 < 0, and IPAC's
position reconstruction has a frame's origin at its south-east corner. Seed 000 says "east to the
right"; `ArrayGeometry.east_left` is False for that reading.

The rotation is atan(DXFS / DYFS) of Atlas headers: how far the frame moves across (in x) for a
step along (in y). With east left it is also the position angle of the array's y axis, degrees
east of the scan's direction.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from ..errors import NotFoundError
from ..scan import ScanId, parse_band

__all__ = ["CENTER", "PERIODS", "PLATE_SCALES", "ROTATIONS", "SIZE", "ArrayGeometry", "period_of"]

#: Pixels along each side of an array.
SIZE = 256
#: Pixel coordinate of an array's centre, counted from 0 at the first pixel's centre.
CENTER = (SIZE - 1) / 2

#: Plate scales in arcsec/pixel: north camera, 1997 (T. Chester, "2MASS Previous Dithering
#: Patterns", 2 June 1997). None is published for the south; the same are used there.
PLATE_SCALES = {"j": 1.9966, "h": 2.0060, "k": 1.9839}

#: Array rotations in degrees with their uncertainties, by period of hardware (seed 000).
ROTATIONS = {
    "North1": {"j": (0.372, 0.020), "h": (0.440, 0.022), "k": (0.326, 0.019)},
    "North2": {"j": (-0.303, 0.015), "h": (-0.420, 0.016), "k": (0.265, 0.015)},
    "South": {"j": (0.225, 0.006), "h": (0.252, 0.005), "k": (0.175, 0.005)},
}
PERIODS = tuple(ROTATIONS)

# Real headers of the south give atan(DXFS/DYFS) of Ks the opposite sign of the published table:
# -.121 deg where J and H of the same coadd are +.277 and +.303, and -.19 deg on average over
# eight images of M17.
_HEADER_SIGN = {("South", "k"): -1.0}

# The H array of Mt. Hopkins was changed in August 1999, when the camera was warm and idle.
_NORTH_CHANGE = dt.date(1999, 8, 15)


def period_of(scan_id: ScanId) -> str:
    """Return the period of array geometry a scan belongs to: North1, North2 or South."""
    if scan_id.hemis == "s":
        return "South"
    return "North1" if scan_id.date < _NORTH_CHANGE else "North2"


@dataclass(frozen=True)
class ArrayGeometry:
    """How one array lies on the sky.

    Parameters
    ----------
    plate_scale : `~astropy.units.Quantity`
        Angle a pixel covers; a bare number is in arcsec.
    rotation : `~astropy.units.Quantity`
        Rotation against the scan direction, see the module; a bare number is in degrees.
    east_left : bool, optional
        Parity: whether columns are counted from the east side to the west.
    rotation_error : `~astropy.units.Quantity`, optional
        Uncertainty of the rotation, where one is published.
    """

    plate_scale: u.Quantity
    rotation: u.Quantity
    east_left: bool = True
    rotation_error: u.Quantity | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "plate_scale", u.Quantity(self.plate_scale, u.arcsec))
        object.__setattr__(self, "rotation", u.Quantity(self.rotation, u.deg))
        if self.rotation_error is not None:
            object.__setattr__(self, "rotation_error", u.Quantity(self.rotation_error, u.deg))
        scale = self.plate_scale.value
        if not (np.isfinite(scale) and scale > 0):
            msg = (
                f"a plate scale of {self.plate_scale} is impossible: give a positive angle a pixel"
            )
            raise ValueError(msg)

    @classmethod
    def preset(cls, period: str, band: str, sign: str = "published") -> ArrayGeometry:
        """Return the geometry of a band's array in a period of the survey.

        Parameters
        ----------
        period : {"North1", "North2", "South"}
            See `period_of`.
        band : {"j", "h", "k"}
        sign : {"published", "header"}, optional
            Which sign of the rotation. They differ for Ks in the south alone, where the
            headers of real Atlas Images contradict the published table.

        Raises
        ------
        NotFoundError
            If there is no such period.
        """
        band = parse_band(band)
        table = {name.lower(): name for name in PERIODS}
        name = table.get(str(period).lower())
        if name is None:
            msg = f"no array geometry for {period!r}: the periods are {', '.join(PERIODS)}"
            raise NotFoundError(msg)
        if sign not in ("published", "header"):
            msg = f"sign={sign!r} is not known: use 'published' or 'header'"
            raise NotFoundError(msg)
        rotation, error = ROTATIONS[name][band]
        if sign == "header":
            rotation *= _HEADER_SIGN.get((name, band), 1.0)
        return cls(PLATE_SCALES[band] * u.arcsec, rotation * u.deg, rotation_error=error * u.deg)

    def dither(self, step: u.Quantity, n: Any = 1) -> tuple[Any, Any]:
        """Return how far a star moves over the array in `n` frames.

        Parameters
        ----------
        step : `~astropy.units.Quantity`
            Angle from one frame to the next; a bare number is in arcsec.
        n : int or array of int
            Number of frames.

        Returns
        -------
        in_scan, cross_scan : float or array
            Pixels along the columns and along the rows (T. Chester's tables of 1997).
        """
        pixels = np.asarray(n) * u.Quantity(step, u.arcsec).value / self.plate_scale.value
        angle = self.rotation.to_value(u.rad)
        in_scan, cross_scan = pixels * np.cos(angle), pixels * np.sin(angle)
        return in_scan[()], cross_scan[()]

    def phases(self, step: u.Quantity, n: int = 6) -> NDArray[np.float64]:
        """Return where within a pixel a star falls in `n` successive frames.

        Returns
        -------
        array, shape (n, 2)
            Sub-pixel position along (in-scan) and across (cross-scan), in [0, 1), the first
            frame at 0.
        """
        moved = np.stack(self.dither(step, np.arange(n)), axis=-1)
        phases = np.mod(moved, 1.0)
        phases[phases >= 1.0] = 0.0  # np.mod rounds up to 1 for tiny negative moves
        return phases

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Pixels from the centre (x, y) to arcsec (toward scan-west, along the scan's north).

        With east left, x runs west; the rotation turns +y from the scan's north to the east.
        """
        angle = self.rotation.to_value(u.rad)
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        flip = np.diag([1.0 if self.east_left else -1.0, 1.0])
        return self.plate_scale.value * flip @ turn

    def to_sky_offset(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Turn pixels into offsets from the frame's centre on its tangent plane.

        Returns
        -------
        west, along : array
            Arcsec west of, and north along, the scan's track.
        """
        m = self.matrix
        dx, dy = np.asarray(x, float) - CENTER, np.asarray(y, float) - CENTER
        return m[0, 0] * dx + m[0, 1] * dy, m[1, 0] * dx + m[1, 1] * dy

    def to_pixel(self, west: Any, along: Any) -> tuple[Any, Any]:
        """Turn offsets from the frame's centre (arcsec) into pixels; undoes `to_sky_offset`."""
        m = np.linalg.inv(self.matrix)
        west, along = np.asarray(west, float), np.asarray(along, float)
        return (
            m[0, 0] * west + m[0, 1] * along + CENTER,
            m[1, 0] * west + m[1, 1] * along + CENTER,
        )

    def frame_wcs(self, center: SkyCoord, scan_pa: float = 0.0) -> WCS:
        """Return the predicted WCS of a frame (TAN; distortion of the camera is not known).

        Parameters
        ----------
        center : `~astropy.coordinates.SkyCoord`
            The frame's centre.
        scan_pa : float
            Position angle of the scan's northward direction there, degrees east of north.

        Returns
        -------
        `~astropy.wcs.WCS`
            Of shape (256, 256); pixel (127.5, 127.5), counted from 0, is at `center`.
        """
        pa = np.deg2rad(scan_pa)
        # (west, along) -> (xi toward east, eta toward north)
        to_plane = np.array([[-np.cos(pa), np.sin(pa)], [np.sin(pa), np.cos(pa)]])
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.crpix = [CENTER + 1, CENTER + 1]
        wcs.wcs.crval = [center.icrs.ra.deg, center.icrs.dec.deg]
        wcs.wcs.cd = to_plane @ self.matrix / 3600
        wcs.wcs.radesys = "ICRS"
        wcs.array_shape = (SIZE, SIZE)
        return wcs
