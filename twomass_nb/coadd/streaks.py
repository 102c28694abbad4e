"""Trails of meteors, aircraft and satellites in a frame, from its solo detections.

The survey's rule: 15 solo detections or more within 3 arcsec of a line, over 20 arcsec or more,
are a streak. `lines` has what is asked besides, so that chance makes none.

A patch of solo pixels is one detection, except if it is elongated: then it is one every 4/3 arcsec
along its axis, which is 15 in 20 arcsec. A meteor's trail is such a patch. A trail so faint that
few of its pixels are solo, below about five times the noise of a raw pixel, is not found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import needs
from .lines import ELONGATED, Line, Rule, richest

__all__ = ["Streak", "find_streaks", "in_layer"]

# An elongated patch is so many arcsec long at least. Larger ones that are not, as trails that
# cross, are looked at in tiles.
_LONG, _TILE = 10.0, 128
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

    @property
    def middle(self) -> tuple[float, float]:
        """Position halfway between the ends, x and y."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def direction(self) -> tuple[float, float]:
        """Steps in x and y of an arcsec along it."""
        return (self.x1 - self.x0) / self.length, (self.y1 - self.y0) / self.length

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return the pixels to blank: half the width to each side, and `BEYOND` past the ends."""
        (mx, my), (ux, uy) = self.middle, self.direction
        y, x = np.ogrid[: shape[0], : shape[1]]
        along, across = (x - mx) * ux + (y - my) * uy, (y - my) * ux - (x - mx) * uy
        near = np.abs(across) <= self.width / 2
        return np.asarray(near & (np.abs(along) <= self.length / 2 + BEYOND))


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
    needs("scipy", "reduce")
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
    needs("scipy", "reduce")
    from scipy.ndimage import distance_transform_edt, label

    labels, n = label(solo, np.ones((3, 3)))
    y, x = np.nonzero(labels)
    own = labels[y, x] - 1
    patches = _Patches.of(x, y, own, np.ones(len(x)))
    if (patches.long >= _LONG).any():
        # a slice that a tile's border cuts off a round patch is as wide as the patch is
        thick = 2 * distance_transform_edt(solo)[y, x]
        patches = _Patches.of(x, y, own, thick)
        cut = (patches.long >= _LONG) & (patches.long < ELONGATED * patches.wide)
        tile = (y // _TILE) * (solo.shape[1] // _TILE + 1) + x // _TILE
        names = np.where(cut[own], own + n * (1 + tile), own)
        patches = _Patches.of(x, y, np.unique(names, return_inverse=True)[1], thick)
    return patches.points()


@dataclass(frozen=True)
class _Patches:
    """Middles, lengths, widths and angles of patches of pixels."""

    x: Floats
    y: Floats
    long: Floats
    wide: Floats
    angle: Floats

    @classmethod
    def of(cls, x: NDArray, y: NDArray, own: NDArray, thick: Floats) -> _Patches:
        """Measure patches by the number of each pixel's own; each is as wide as it is thick."""
        n = np.bincount(own)
        mx, my = (np.bincount(own, v) / n for v in (x, y))
        dx, dy = x - mx[own], y - my[own]
        xx, yy, xy = (np.bincount(own, v) / n for v in (dx * dx, dy * dy, dx * dy))
        mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
        # an even distribution over a length L has the variance L * L / 12
        long, wide = (np.sqrt(12 * np.maximum(v, 0)) for v in (mean + spread, mean - spread))
        np.maximum.at(wide, own, thick)
        return cls(mx, my, long, wide, np.arctan2(2 * xy, xx - yy) / 2)

    def points(self) -> tuple[Floats, Floats]:
        """Return the detections they are worth."""
        trail = (self.long >= _LONG) & (self.long >= ELONGATED * self.wide)
        times = np.where(trail, self.long // _SPACING + 1, 1).astype(np.int64)
        which = np.repeat(np.arange(len(times)), times)
        place = np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
        shift = (place - (times[which] - 1) / 2) * _SPACING
        angle = self.angle[which]
        return self.x[which] + shift * np.cos(angle), self.y[which] + shift * np.sin(angle)


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
    (mx, my), (ux, uy) = streak.middle, streak.direction
    return replace(
        streak, x0=mx + ends[0] * ux, y0=my + ends[0] * uy,
        x1=mx + ends[1] * ux, y1=my + ends[1] * uy, width=2.0 * wide + 1,
    )  # fmt: skip


def _strip(streak: Streak, excess: NDArray[np.float32], along: NDArray, across: NDArray) -> Floats:
    """Return the pixels by a streak, a row for each distance across; NaN off the image."""
    (mx, my), (ux, uy) = streak.middle, streak.direction
    x = np.rint(mx + along * ux - across[:, None] * uy).astype(int)
    y = np.rint(my + along * uy + across[:, None] * ux).astype(int)
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
