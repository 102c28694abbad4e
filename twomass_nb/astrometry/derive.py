"""From a least squares solution to rotation, steps, track and offsets, with their errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..array import ArrayGeometry, ScanTrack
from ..array.track import unit_vector
from .solve import Solution

__all__ = ["Derived", "derive", "similarity"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Derived:
    """See `Positions`, where these become attributes."""

    track: ScanTrack
    geometry: ArrayGeometry
    step: tuple[float, float]
    step_error: tuple[float, float]
    offsets: Floats
    errors: Floats
    plate_scale_error: float


def similarity(geometry: ArrayGeometry) -> tuple[float, float]:
    """Return a and b of `solve`: arcsec (west, along) to pixels, west with the sign that x has."""
    angle, scale = geometry.rotation.to_value(u.rad), geometry.plate_scale.value
    return float(np.cos(angle) / scale), float(np.sin(angle) / scale)


class _Reading:
    """Where everything is in a solution's parameters."""

    def __init__(self, frames: NDArray[np.int64], track: ScanTrack, scale: float | None) -> None:
        self.frames, self.n_all, self.scale = frames, track.n_frames, scale
        self.from_middle = np.arange(track.n_frames) - frames.mean()

    def __call__(self, p: Floats) -> Floats:
        """Return in-scan and cross-scan step, rotation, plate scale, and places of all frames.

        Places, arcsec from the middle of the frames measured: first west (with the sign that x
        has) of all frames, then along.
        """
        n = len(self.frames)
        tied = 4 if self.scale is None else 0
        terms = (len(p) - tied) // 2 - n
        motion = np.array([p[2 * n], p[2 * n + terms]])
        if self.scale is None:
            a, b, *t = p[-4:]
        else:
            size = self.scale * np.hypot(*motion)
            a, b = np.sign(motion[1]) * motion[::-1] / size
            t = [0.0, 0.0]
        square = a * a + b * b
        d = np.outer(motion, self.from_middle)
        d[:, self.frames] = p[:n], p[n : 2 * n]
        x, y = d[0] - t[0], d[1] - t[1]
        scale = square**-0.5
        head = [motion[1] * scale, motion[0] * scale, np.arctan(motion[0] / motion[1]), scale]
        return np.concatenate([head, (a * x - b * y) / square, (b * x + a * y) / square])

    def line(self, p: Floats, at: Floats) -> tuple[Floats, Floats]:
        """Return places (west with the sign of x, along) on the straight track."""
        smooth = p.copy()
        n = len(self.frames)
        terms = (len(p) - (4 if self.scale is None else 0)) // 2 - n
        for axis in (0, 1):
            smooth[axis * n : axis * n + n] = (
                p[2 * n + axis * terms] * self.from_middle[self.frames]
            )
        west, along = self(smooth)[4:].reshape(2, -1)
        return tuple(np.interp(at, np.arange(self.n_all), v) for v in (west, along))  # type: ignore[return-value]


def derive(
    frames: NDArray[np.int64],
    track: ScanTrack,
    geometry: ArrayGeometry,
    solution: Solution | None,
    tied: bool,
) -> Derived:
    """Turn a solution into positions; without one they are as predicted."""
    n = track.n_frames
    zeros = np.zeros((n, 2))
    if solution is None:
        in_scan, cross_scan = (v * geometry.plate_scale.value for v in geometry.dither(track.step))
        nothing = (float("nan"), float("nan"))
        return Derived(track, geometry, (float(in_scan), float(cross_scan)), nothing, zeros,
                       np.tile(track.uncertainty, (n, 1)), float("nan"))  # fmt: skip
    read = _Reading(frames, track, None if tied else float(geometry.plate_scale.value))
    p = solution.parameters
    values = read(p)
    slopes = np.empty((len(values), len(p)))
    for k in range(len(p)):
        more = p.copy()
        more[k] += 1e-6
        slopes[:, k] = (read(more) - values) / 1e-6
    variance = ((slopes @ solution.covariance) * slopes).sum(axis=1)
    free = np.ones(n, bool)
    free[frames] = False
    variance[4:] += np.tile((free * solution.jitter * values[3]) ** 2, 2)
    error = np.sqrt(variance)

    middle = float(frames.mean()) * track.step
    side = 1.0 if geometry.east_left else -1.0
    ends = np.array([0.0, float(n - 1)]) if n > 1 else np.zeros(2)
    west, along = read.line(p, ends)
    new = _through(track, along + middle, side * west)
    west, along = values[4:].reshape(2, -1)
    ra, dec = track.positions(along + middle, side * west)
    west_off, along_off = (v for v in new.offsets(ra, dec)[::-1])
    offsets = np.stack([along_off - np.arange(n) * new.step, west_off], axis=1)
    offsets[free] = 0.0
    refined = replace(
        geometry,
        rotation=np.rad2deg(values[2]) * u.deg,
        rotation_error=np.rad2deg(error[2]) * u.deg,
        plate_scale=values[3] * u.arcsec if tied else geometry.plate_scale,
    )
    return Derived(
        replace(new, source="stars" if tied else track.source,
                uncertainty=(0.0, 0.0) if tied else track.uncertainty),
        refined,
        (float(values[0]), float(values[1])),
        (float(error[0]), float(error[1])),
        offsets,
        error[4:].reshape(2, -1)[::-1].T,
        float(error[3]) if tied else float("nan"),
    )  # fmt: skip


def _through(track: ScanTrack, along: Floats, west: Floats) -> ScanTrack:
    """Return the track whose first and last frames are at places given in another's terms."""
    ra, dec = track.positions(along, west)
    n = track.n_frames
    if n < 2:
        return replace(track, ra=float(ra[0]), dec=float(dec[0]))
    first, last = unit_vector(ra, dec)
    angle = np.arctan2(np.linalg.norm(np.cross(first, last)), first @ last)
    step = np.sign(track.step) * np.rad2deg(angle) * 3600 / (n - 1)
    north = np.sign(track.step) * (last - (last @ first) * first)
    lon, lat = np.deg2rad(ra[0]), np.deg2rad(dec[0])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    up = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    pa = float(np.rad2deg(np.arctan2(north @ east, north @ up)))
    return replace(track, ra=float(ra[0]) % 360, dec=float(dec[0]), pa=pa, step=float(step))
