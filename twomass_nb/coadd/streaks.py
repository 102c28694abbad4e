"""Trails of meteors, aircraft and satellites in a frame, from its solo detections.

The survey's rule: 15 solo detections or more within 3 arcsec of a line, over 20 arcsec or more,
are a streak. `lines` has what is asked besides, so that chance makes none.

A patch of solo pixels is one detection, except if it is elongated: then it is one every 4/3 arcsec
along its axis, which is 15 in 20 arcsec. A meteor's trail is such a patch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..sources.needs import needs
from .lines import ELONGATED, Line, Rule, richest

__all__ = ["Streak", "find_streaks", "in_layer"]

# An elongated patch is so many arcsec long at least. A patch is cut into tiles, so that trails
# which cross are not one; a trail 25 arcsec wide is still elongated in a tile.
_LONG, _TILE = 10.0, 64
_SPACING = 4 / 3
# Measuring a trail: how far from its line and in which steps along it; noise of neighbouring
# pixels is alike, so a median is noisier by about this; the trail goes on where 3 times above it.
_REACH, _STEP, _ALIKE, _ABOVE = 40, 10, 1.5, 3.0
#: Blanked beyond the ends found, arcsec: a trail fades.
BEYOND = 20.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Streak:
    """A straight trail on pixels of 1 arcsec.

    Parameters
    ----------
    x0, y0, x1, y1 : float
        Its ends in arcsec, or pixels from 0.
    width : float
        Full width in arcsec that is to be blanked.
    detections : int
        How many lie on it.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    width: float
    detections: int

    @property
    def length(self) -> float:
        """Arcsec from end to end."""
        return float(np.hypot(self.x1 - self.x0, self.y1 - self.y0))

    @property
    def angle(self) -> float:
        """Degrees from the x axis towards the y axis, from 0 to 180."""
        return float(np.degrees(np.arctan2(self.y1 - self.y0, self.x1 - self.x0)) % 180)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return the pixels to blank: half the width to each side, and `BEYOND` past the ends."""
        y, x = np.ogrid[: shape[0], : shape[1]]
        along, across = self.along(x, y)
        half = self.length / 2 + BEYOND
        return (np.abs(across) <= self.width / 2) & (np.abs(along) <= half)

    def along(self, x: NDArray, y: NDArray) -> tuple[Floats, Floats]:
        """Return how far along the streak positions are, from its middle, and across it."""
        ux, uy = (self.x1 - self.x0) / self.length, (self.y1 - self.y0) / self.length
        dx, dy = x - (self.x0 + self.x1) / 2, y - (self.y0 + self.y1) / 2
        return dx * ux + dy * uy, dy * ux - dx * uy


def find_streaks(
    x: NDArray,
    y: NDArray,
    *,
    points: int = 15,
    tolerance: float = 3.0,
    length: float = 20.0,
) -> list[Streak]:
    """Find lines of solo detections.

    Parameters
    ----------
    x, y : array
        Positions in arcsec of the solo detections of one frame.
    points : int, optional
        So many at least.
    tolerance : float, optional
        Within so many arcsec of the line.
    length : float, optional
        Over so many arcsec at least.

    Returns
    -------
    list of Streak
        The richest first. Their width is twice the tolerance more than the detections' own.
    """
    needs("scipy")
    rule = Rule(points, tolerance, length)
    left = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    left = left[np.isfinite(left).all(axis=1)]
    found = []
    while len(left) >= points and (line := richest(left, rule)):
        found.append(_streak(line, 2 * (line.spread + tolerance)))
        left = left[~line.near(left, 2 * tolerance, length)]
    return found


def _streak(line: Line, width: float) -> Streak:
    dx, dy = (float(line.length / 2 * f(line.angle)) for f in (np.cos, np.sin))
    return Streak(line.x - dx, line.y - dy, line.x + dx, line.y + dy, width, line.points)


def in_layer(solo: NDArray[np.bool_], excess: NDArray[np.float32]) -> list[Streak]:
    """Find streaks among the solo pixels of a frame, or of frames that do not overlap.

    Parameters
    ----------
    solo : array of bool, shape (rows, columns)
        Pixels of 1 arcsec in which the frame stands out of the others.
    excess : array, shape (rows, columns)
        By how much each pixel is above the others, in standard deviations; NaN where there is
        nothing. A trail is wider and longer than its solo pixels: it is followed here.

    Returns
    -------
    list of Streak
        Each ends where it no longer stands out in the median over 10 arcsec of its length, and
        is as wide as it stands out in the median over its length. `Streak.mask` goes on from
        there by `BEYOND`.
    """
    return [_measured(streak, excess) for streak in find_streaks(*_detections(solo))]


def _detections(solo: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return a position for each patch of pixels, and several for an elongated one."""
    needs("scipy")
    from scipy.ndimage import label

    labels, _ = label(solo, np.ones((3, 3)))
    y, x = np.nonzero(labels)
    across = solo.shape[1] // _TILE + 1
    tile = (y // _TILE) * across + x // _TILE
    patch = labels[y, x].astype(np.int64) * (solo.shape[0] // _TILE + 1) * across + tile
    _, own, n = np.unique(patch, return_inverse=True, return_counts=True)
    mx, my = (np.bincount(own, v) / n for v in (x, y))
    dx, dy = x - mx[own], y - my[own]
    xx, yy, xy = (np.bincount(own, v) / n for v in (dx * dx, dy * dy, dx * dy))
    spread = np.hypot((xx - yy) / 2, xy)
    # an even distribution over a length L has the variance L * L / 12
    long = np.sqrt(12 * ((xx + yy) / 2 + spread))
    wide = np.sqrt(12 * np.maximum((xx + yy) / 2 - spread, 1 / 12))
    angle = np.arctan2(2 * xy, xx - yy) / 2
    times = np.where((long >= _LONG) & (long >= ELONGATED * wide), long // _SPACING + 1, 1)
    times = times.astype(np.int64)
    which = np.repeat(np.arange(len(n)), times)
    place = np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
    shift = (place - (times[which] - 1) / 2) * _SPACING
    return mx[which] + shift * np.cos(angle[which]), my[which] + shift * np.sin(angle[which])


def _measured(streak: Streak, excess: NDArray[np.float32]) -> Streak:
    """Return a streak as long and as wide as it stands out."""
    half = int(streak.length / 2)
    beyond = int(np.hypot(*excess.shape))
    d = np.arange(-_REACH, _REACH + 1)
    inside = _strip(streak, excess, np.arange(-half, half + 1), d)
    wide = max(
        streak.width / 2, *(_until_faint(rows) for rows in (inside[_REACH:], inside[_REACH::-1]))
    )
    core = np.arange(-int(wide / 2), int(wide / 2) + 1)
    ends = []
    for sign in (-1, 1):
        t = sign * (half + np.arange(beyond // _STEP * _STEP))
        steps = _strip(streak, excess, t, core).T.reshape(-1, _STEP * len(core))
        ends.append(sign * (streak.length / 2 + _STEP * _until_faint(steps)))
    ux, uy = (streak.x1 - streak.x0) / streak.length, (streak.y1 - streak.y0) / streak.length
    mx, my = (streak.x0 + streak.x1) / 2, (streak.y0 + streak.y1) / 2
    return replace(
        streak, x0=mx + ends[0] * ux, y0=my + ends[0] * uy,
        x1=mx + ends[1] * ux, y1=my + ends[1] * uy, width=2.0 * wide + 1,
    )  # fmt: skip


def _strip(streak: Streak, excess: NDArray[np.float32], along: NDArray, across: NDArray) -> Floats:
    """Return the pixels by a streak, a row for each distance across; NaN off the image."""
    ux, uy = (streak.x1 - streak.x0) / streak.length, (streak.y1 - streak.y0) / streak.length
    x = np.rint((streak.x0 + streak.x1) / 2 + along * ux - across[:, None] * uy).astype(int)
    y = np.rint((streak.y0 + streak.y1) / 2 + along * uy + across[:, None] * ux).astype(int)
    inside = (x >= 0) & (y >= 0) & (x < excess.shape[1]) & (y < excess.shape[0])
    return np.where(inside, excess[np.where(inside, y, 0), np.where(inside, x, 0)], np.nan)


def _until_faint(rows: Floats) -> int:
    """Return how many rows, from the first on, stand out in their median."""
    for k, row in enumerate(rows):
        there = row[np.isfinite(row)]
        if not len(there):
            return k
        noise = _ALIKE * np.sqrt(np.pi / 2 / len(there))
        if np.median(there) < _ABOVE * noise:
            return k
    return len(rows)
