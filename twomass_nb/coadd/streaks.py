"""Which solo detections of a frame lie on a line: trails of meteors, aircraft and satellites.

The survey's rule: 15 solo detections or more within 3 arcsec of a line, over 20 arcsec or more,
are a streak. By that alone chance makes streaks: 400 detections strewn over a frame have 15 within
3 arcsec of some line that crosses it. So three more things are asked, all chosen here:

- Density. Of a line that stretch counts which has most detections over one in 20 arcsec (or over
  three times the usual, in a crowded field); a gap costs as much as it is long. Random detections
  on a line are further apart, so their stretch ends before it has 15.
- Contrast. The detections of the stretch are far more than chance would put there: the
  probability, times the number of places where a streak could lie in the field, is below 1/1000.
  What is usual is the density of the whole field or of the sides of the stretch, from 4.5 to 12
  arcsec off the line, whichever is more: a clump of detections has lines through it, but no bare
  sides.
- A patch of solo pixels is one detection, except if it is elongated: then it is one every 4/3
  arcsec along its axis, which is 15 in 20 arcsec. A meteor's trail is such a patch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..sources.needs import needs

__all__ = ["Streak", "find_streaks", "in_layer"]

#: Side of a frame in arcsec. Density and chance are those of a field at least so large.
FIELD = 512.0
_ALARMS = 1e-3  # expected from chance in a field
_CROWD = 3.0  # a stretch must be denser than the usual by this
_SIDES = (1.5, 4.0)  # from where to where the sides are, in tolerances
_TRIES = 50  # lines tried, the richest first
# Elongated: so many arcsec long, and so much longer than wide. A patch is cut into tiles, so
# that trails which cross are not one patch; a trail 25 arcsec wide is still elongated in one.
_LONG, _ELONGATED, _TILE = 10.0, 2.5, 64
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


@dataclass(frozen=True)
class _Rule:
    """The survey's numbers, and the field they are applied to."""

    points: int
    tolerance: float
    length: float
    side: float
    density: float


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
    left = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    left = left[np.isfinite(left).all(axis=1)]
    found: list[Streak] = []
    while len(left) >= points:
        side = max(FIELD, float(np.ptp(left, axis=0).max()))
        rule = _Rule(points, tolerance, length, side, len(left) / side**2)
        streak = _richest(left, rule)
        if streak is None:
            break
        found.append(streak)
        along, across = streak.along(left[:, 0], left[:, 1])
        left = left[(np.abs(across) > 2 * tolerance) | (np.abs(along) > streak.length / 2 + length)]
    return found


def _richest(xy: Floats, rule: _Rule) -> Streak | None:
    """Return the streak among the lines of most detections, if there is one."""
    for angle, offset in _lines(xy, rule):
        normal = np.array([-np.sin(angle), np.cos(angle)])
        middle = xy.mean(axis=0) + offset * normal
        streak = _stretch(xy, middle, angle, rule, 1.5 * rule.tolerance)
        if streak is None:
            continue
        # once more on a line through the detections themselves
        streak = _stretch(xy, *_fitted(xy, streak, rule), rule, rule.tolerance)
        if streak is not None and _stands_out(xy, streak, rule):
            return streak
    return None


def _lines(xy: Floats, rule: _Rule) -> list[tuple[float, float]]:
    """Return angles and offsets of lines with enough detections by them, the richest first.

    A Hough transform: for each angle, how many detections are at each offset.
    """
    from scipy.ndimage import maximum_filter

    reach = np.hypot(*np.ptp(xy, axis=0)) + 4 * rule.tolerance
    # over half the field a step of angle is worth half a tolerance
    angles = np.arange(0, np.pi, rule.tolerance / rule.side)
    bins = int(np.ceil(reach / rule.tolerance)) + 2
    x, y = (xy - xy.mean(axis=0)).T
    counts = np.empty((len(angles), bins), np.int32)
    for k, angle in enumerate(angles):
        offset = y * np.cos(angle) - x * np.sin(angle)
        cell = np.rint(offset / rule.tolerance).astype(np.int64) + bins // 2
        counts[k] = np.bincount(cell, minlength=bins)[:bins]
    # a detection on the border of two cells belongs to both
    counts[:, 1:-1] = counts[:, 1:-1] + np.maximum(counts[:, :-2], counts[:, 2:])
    peaks = (counts == maximum_filter(counts, 5)) & (counts >= rule.points)
    rows, columns = np.nonzero(peaks)
    best = np.argsort(-counts[rows, columns], kind="stable")[:_TRIES]
    return [
        (float(angles[r]), float(c - bins // 2) * rule.tolerance)
        for r, c in zip(rows[best], columns[best], strict=True)
    ]


def _stretch(xy: Floats, middle: Floats, angle: float, rule: _Rule, within: float) -> Streak | None:
    """Return the stretch of a line that has most detections over what its length costs."""
    direction = np.array([np.cos(angle), np.sin(angle)])
    along = (xy - middle) @ direction
    across = (xy - middle) @ np.array([-direction[1], direction[0]])
    near = np.abs(across) <= within
    if near.sum() < rule.points:
        return None
    order = np.argsort(along[near], kind="stable")
    t, d = along[near][order], across[near][order]
    cost = max(1 / rule.length, _CROWD * rule.density * 2 * within)
    worth = np.arange(len(t)) - cost * t
    lowest = np.minimum.accumulate(worth)
    last = int(np.argmax(worth - lowest))
    first = int(np.argmin(worth[: last + 1]))
    n = last + 1 - first
    if n < rule.points or t[last] - t[first] < rule.length:
        return None
    spread = float(np.percentile(np.abs(d[first : last + 1]), 95))
    ends = (*(middle + t[first] * direction), *(middle + t[last] * direction))
    return Streak(*(float(e) for e in ends), 2 * (spread + rule.tolerance), n)


def _fitted(xy: Floats, streak: Streak, rule: _Rule) -> tuple[Floats, float]:
    """Return a point and the angle of the line of least squares through a streak's detections."""
    along, across = streak.along(xy[:, 0], xy[:, 1])
    own = xy[(np.abs(across) <= 1.5 * rule.tolerance) & (np.abs(along) <= streak.length / 2 + 1)]
    middle = own.mean(axis=0)
    direction = np.linalg.svd(own - middle, full_matrices=False)[2][0]
    return middle, float(np.arctan2(direction[1], direction[0]))


def _stands_out(xy: Floats, streak: Streak, rule: _Rule) -> bool:
    """Whether chance would not put so many detections there."""
    from scipy.special import gammainc

    along, across = streak.along(xy[:, 0], xy[:, 1])
    near, far = (rule.tolerance * s for s in _SIDES)
    beside = (np.abs(across) > near) & (np.abs(across) < far)
    beside &= np.abs(along) <= streak.length / 2
    sides = beside.sum() / (2 * (far - near) * streak.length)
    usual = max(rule.density, sides) * 2 * rule.tolerance * streak.length
    places = np.pi * (rule.side / rule.tolerance) ** 2
    # the probability of so many or more, of a Poisson distribution
    return bool(gammainc(streak.detections, usual) * places < _ALARMS)


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
    times = np.where((long >= _LONG) & (long >= _ELONGATED * wide), long // _SPACING + 1, 1)
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
