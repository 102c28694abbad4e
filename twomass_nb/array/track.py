"""Where the frames of a scan lie on the sky, and which of them see a position.

A scan follows a great circle: frame n (from 0) is n steps from the first. Positions are taken
into the frame of that circle (angle along it from the first frame, angle west of it), where
every question about frames is plane arithmetic. A frame spans 8.5 arcmin, over which the plane
departs from the sphere by less than 0.001 arcsec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from ..errors import NotFoundError
from .geometry import SIZE, ArrayGeometry

__all__ = [
    "FOOTPRINT_LENGTH", "FRAMES", "HALF_WIDTH", "MEAN_STEP",
    "START_EDGE",
    "ScanTrack", "frames_seeing", "lonlat", "unit_vector",
]  # fmt: skip

#: A survey scan's footprint begins 156 arcsec after its first frame's centre and is 22,130 arcsec
#: long and 506 wide (24 real headers). That is where the scan is six frames deep: from the trailing
#: edge of frame 5 (5 x 82.3 - 256 = 156) to the leading edge of frame 268 (22,296). The coadds of
#: real headers start there too (USYREF = 156 + 970 k), and only so do both directions cover one
#: tile. FACTS has the same number "before" the first frame's centre.
START_EDGE = 156.0
FOOTPRINT_LENGTH = 22130.0
HALF_WIDTH = 253.0
#: Mean step between frames, arcsec, where nothing better is known. The coadd numbers of real
#: headers confine it to 82.02 - 82.36 at CTIO; 82.2 is the middle.
MEAN_STEP = 82.2
#: Frames of a survey scan: every CTIO header says 274, every Mt. Hopkins one 273.
FRAMES = {"n": 273, "s": 274}

# First frame's centre after the start of scan (SOS), arcsec: CTIO 366 - 376, Mt. Hopkins 139 - 198
# (1997-98) and 355 - 387 (February 1999); what a prediction from it must carry (FACTS).
_FROM_SOS = {"n": 263.0, "s": 371.0}
_SOS_UNCERTAINTY = (125.0, 18.0)
_RAD = np.pi / 180 / 3600


def unit_vector(ra: Any, dec: Any) -> NDArray[np.float64]:
    """Return unit vectors, shape (..., 3), of positions in degrees."""
    ra, dec = np.deg2rad(np.asarray(ra, float)), np.deg2rad(np.asarray(dec, float))
    return np.stack(
        np.broadcast_arrays(np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)),
        axis=-1,
    )


def lonlat(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return RA in [0, 360) and Dec, degrees, of vectors of shape (..., 3)."""
    x, y, z = np.moveaxis(np.asarray(vectors, float), -1, 0)
    return np.mod(np.rad2deg(np.arctan2(y, x)), 360.0), np.rad2deg(np.arctan2(z, np.hypot(x, y)))


@dataclass(frozen=True)
class ScanTrack:
    """The track of frame centres of one scan.

    Parameters
    ----------
    ra, dec : float
        First frame's centre, degrees.
    pa : float
        Position angle there of the track's northward direction, degrees east of north.
    step : float
        Arcsec from frame to frame along that direction; negative for south-going scans.
    n_frames : int
    source : str
        Where this is from: "scn" corners, "atlas" header, "lgo" or "sos" prediction, "sim".
    uncertainty : (float, float)
        Half range in arcsec along and across the scan.
    """

    ra: float
    dec: float
    pa: float
    step: float
    n_frames: int
    source: str = "sim"
    uncertainty: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def from_corners(
        cls, ra: Any, dec: Any, direction: str, n_frames: int = FRAMES["s"],
        step: float = MEAN_STEP, source: str = "scn",
    ) -> ScanTrack:  # fmt: skip
        """Predict the track from a scan table's corners.

        Parameters
        ----------
        ra, dec : array, shape (4,)
            Corners in degrees, in the table's order: 1 east and 2 west at the start of the
            scan, 3 east and 4 west at its end.
        direction : {"n", "s"}
            Way the scan went.
        step : float
            Mean step in arcsec; its sign is taken from `direction`.
        """
        first, pa = track_of_corners(unit_vector(ra, dec), direction == "s")
        ra0, dec0 = lonlat(first)
        sign = -1.0 if direction == "s" else 1.0
        # The mean step is known to about 0.2 arcsec, the first frame to half a step.
        spread = 45.0
        return cls(float(ra0), float(dec0), float(np.rad2deg(pa)), sign * abs(step), n_frames,
                   source, (spread, 10.0))  # fmt: skip

    @classmethod
    def from_sos(
        cls,
        ra: float,
        dec: float,
        direction: str,
        hemis: str,
        n_frames: int,
        step: float = MEAN_STEP,
    ) -> ScanTrack:
        """Predict the track from the start of scan alone, as .par and .lgo files give it."""
        offset = _FROM_SOS[hemis]
        sign = -1.0 if direction == "s" else 1.0
        return cls(ra % 360, dec + sign * offset / 3600, 0.0, sign * abs(step), n_frames, "sos",
                   _SOS_UNCERTAINTY)  # fmt: skip

    @property
    def frame_axes(self) -> NDArray[np.float64]:
        """Unit vectors of the first frame's centre, of "along" and of "west", shape (3, 3)."""
        return _axes(unit_vector(self.ra, self.dec), np.deg2rad(self.pa))

    def _check(self, i: Any) -> None:
        if np.any(np.asarray(i) < 0) or np.any(np.asarray(i) >= self.n_frames):
            msg = f"there is no frame {i}: this scan has frames 0 to {self.n_frames - 1}"
            raise NotFoundError(msg)

    def center(self, i: Any) -> SkyCoord:
        """Return the centre of frame(s) `i`, counted from 0.

        Raises
        ------
        NotFoundError
            If the scan has no such frame.
        """
        self._check(i)
        first, along, _ = self.frame_axes
        angle = np.asarray(i, float)[..., None] * self.step * _RAD
        ra, dec = lonlat(np.cos(angle) * first + np.sin(angle) * along)
        return SkyCoord(ra, dec, unit="deg", frame="icrs")

    def pa_at(self, i: Any) -> float:
        """Return the position angle of the track's northward direction at frame `i`, degrees."""
        first, along, _ = self.frame_axes
        angle = float(i) * self.step * _RAD
        center = np.cos(angle) * first + np.sin(angle) * along
        forward = -np.sin(angle) * first + np.cos(angle) * along
        east, north = _east_north(center)
        return float(np.rad2deg(np.arctan2(forward @ east, forward @ north)))

    def wcs(self, i: int, geometry: ArrayGeometry) -> WCS:
        """Return the predicted WCS of frame `i` (see `ArrayGeometry.frame_wcs`)."""
        return geometry.frame_wcs(self.center(i), self.pa_at(i))

    def pixel(self, i: Any, coord: SkyCoord, geometry: ArrayGeometry) -> tuple[Any, Any]:
        """Return the pixel (x, y), counted from 0, at which frame `i` sees a position."""
        along, west = self.offsets(coord.icrs.ra.deg, coord.icrs.dec.deg)
        return geometry.to_pixel(west, along - np.asarray(i) * self.step)

    def offsets(self, ra: Any, dec: Any) -> tuple[Any, Any]:
        """Return arcsec along the track from the first frame, and west of it, of positions."""
        along, west = _offsets(self.frame_axes, unit_vector(ra, dec))
        return along[()], west[()]

    def positions(self, along: Any, west: Any) -> tuple[Any, Any]:
        """Return RA and Dec (deg) at arcsec along and west of the track; undoes `offsets`."""
        first, ahead, side = self.frame_axes
        a, w = (np.asarray(v, float)[..., None] * _RAD for v in (along, west))
        return lonlat(np.cos(w) * (np.cos(a) * first + np.sin(a) * ahead) + np.sin(w) * side)

    def corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return RA and Dec (deg) of the footprint's corners in the scan table's order.

        1 east and 2 west at the start of the scan, 3 east and 4 west at its end. Scans shorter
        than a survey scan's are shorter by the frames they lack.
        """
        lacking = max(0, min(FRAMES.values()) - self.n_frames) * abs(self.step)
        length = max(FOOTPRINT_LENGTH - lacking, 2 * HALF_WIDTH)
        along = np.sign(self.step) * (START_EDGE + np.array([0.0, 0.0, length, length]))
        return self.positions(along, np.array([-1.0, 1.0, -1.0, 1.0]) * HALF_WIDTH)

    def frames_seeing(
        self, ra: Any, dec: Any, geometry: ArrayGeometry
    ) -> tuple[NDArray[np.int64], ...]:
        """Return first, last and best frame that see positions (deg), and x, y in the best.

        The best frame has the position nearest the middle of its rows. Where no frame sees a
        position, the frames are -1 and the pixels NaN.
        """
        along, west = self.offsets(ra, dec)
        return frames_seeing(along, west, self.step, self.n_frames, geometry)


def _east_north(point: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return unit vectors to the east and north of points; at a pole, as seen along RA 0."""
    ra = np.arctan2(point[..., 1], point[..., 0])
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    return east, np.cross(point, east)


def _axes(first: NDArray[np.float64], pa: Any) -> NDArray[np.float64]:
    """Return axes (first, along, west), shape (..., 3, 3), of tracks of position angle `pa`."""
    east, north = _east_north(first)
    cos, sin = np.cos(np.asarray(pa))[..., None], np.sin(np.asarray(pa))[..., None]
    along = cos * north + sin * east
    west = np.cross(first, along)
    return np.stack([first, along, west], axis=-2)


def _offsets(
    axes: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, along, west = (np.sum(axes[..., k, :] * points, axis=-1) for k in range(3))
    return np.arctan2(along, first) / _RAD, np.arcsin(np.clip(west, -1, 1)) / _RAD


def track_of_corners(
    corners: NDArray[np.float64], south_going: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return first frames' centres and northward position angles (rad) from corner vectors.

    Parameters
    ----------
    corners : array, shape (..., 4, 3)
        Unit vectors of the corners in the scan table's order.
    south_going : array of bool, shape (...)
    """
    start = corners[..., 0, :] + corners[..., 1, :]
    end = corners[..., 2, :] + corners[..., 3, :]
    start = start / np.linalg.norm(start, axis=-1, keepdims=True)
    forward = end - np.sum(end * start, axis=-1, keepdims=True) * start
    forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    angle = -START_EDGE * _RAD
    first = np.cos(angle) * start + np.sin(angle) * forward
    ahead = -np.sin(angle) * start + np.cos(angle) * forward
    north_along = np.where(np.asarray(south_going)[..., None], -ahead, ahead)
    east, north = _east_north(first)
    pa = np.arctan2(np.sum(north_along * east, axis=-1), np.sum(north_along * north, axis=-1))
    return first, pa


def frames_seeing(
    along: Any, west: Any, step: Any, n_frames: Any, geometry: ArrayGeometry
) -> tuple[NDArray[np.int64], ...]:
    """Return the frames that see positions, from their offsets along and west of their tracks.

    All arguments but `geometry` broadcast, so that positions may belong to many scans at once.

    Parameters
    ----------
    along, west : array
        Arcsec from the first frame's centre, as `ScanTrack.offsets` gives them.
    step : array
        Arcsec a frame, negative for south-going scans.
    n_frames : array of int

    Returns
    -------
    first, last, best : array of int
        Frames counted from 0; -1 where no frame sees the position.
    x, y : array of float
        Pixel in the best frame; NaN where there is none.
    """
    along, west, step, n_frames = np.broadcast_arrays(
        np.asarray(along, float),
        np.asarray(west, float),
        np.asarray(step, float),
        np.asarray(n_frames),
    )
    m = np.linalg.inv(geometry.matrix)
    # In frame i the pixel is (x0, y0) - i (dx, dy): the frames that see it are an interval of i.
    x0, y0 = geometry.to_pixel(west, along)
    dx, dy = m[0, 1] * step, m[1, 1] * step
    low, high = np.zeros_like(x0), n_frames - 1.0
    for start, move in ((x0, dx), (y0, dy)):
        edges = np.stack([start + 0.5, start - (SIZE - 0.5)])
        still = move == 0
        ends = edges / np.where(still, 1.0, move)
        inside = (edges[0] >= 0) & (edges[1] <= 0)
        low = np.maximum(low, np.where(still, np.where(inside, -np.inf, np.inf), ends.min(axis=0)))
        high = np.minimum(
            high, np.where(still, np.where(inside, np.inf, -np.inf), ends.max(axis=0))
        )
    seen = np.ceil(low) <= np.floor(high)
    first = np.where(seen, np.ceil(np.where(seen, low, 0)), -1).astype(int)
    last = np.where(seen, np.floor(np.where(seen, high, 0)), -1).astype(int)
    nearest = np.rint((y0 - (SIZE - 1) / 2) / np.where(dy == 0, 1.0, dy))
    best = np.where(seen, np.clip(nearest, first, last), -1).astype(int)
    x = np.where(seen, x0 - best * dx, np.nan)
    y = np.where(seen, y0 - best * dy, np.nan)
    return first, last, best, x, y
