"""Which points lie on a line, more than chance and crowds would put there.

Chance makes lines: of 400 points strewn over a frame 15 are within 3 arcsec of some line across
it, and a clump of points has lines of 15 in all directions. So of the points by a line the stretch
is taken that is worth most, a point worth one and its length costing one in 40 arcsec (more in a
crowd), without gaps longer than that; it counts only if

- chance would not do it: the Poisson probability of so many points, times the number of places
  where a stretch could lie in the field, is below 1/1000;
- it is three times as dense as its surroundings. They are the whole field, or the sides of the
  stretch from 4.5 to 12 arcsec off the line, whichever has more;
- the points around are strewn along the line, two and a half times as far as across it.

All these numbers are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["ELONGATED", "Line", "Rule", "richest"]

#: Longer than wide, at least by this.
ELONGATED = 2.5
# Side of a frame in arcsec: density and chance are those of a field at least so large.
_FIELD = 512.0
_ALARMS = 1e-3  # expected from chance in a field
_CROWD = 3.0
_GAP = 2.0  # in lengths of the rule
_SIDES = (1.5, 4.0)  # from where to where, in tolerances
_TRIES = 50  # lines tried, those of most points first

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """So many points within a tolerance of a line, over a length (arcsec)."""

    points: int
    tolerance: float
    length: float


@dataclass(frozen=True)
class Line:
    """A stretch of a line.

    Parameters
    ----------
    x, y : float
        Its middle.
    angle : float
        Radians from the x axis towards the y axis.
    length : float
    points : int
        How many lie on it.
    spread : float
        How far off it 19 of 20 of them are at most.
    """

    x: float
    y: float
    angle: float
    length: float
    points: int
    spread: float

    def offsets(self, xy: Floats) -> tuple[Floats, Floats]:
        """Return how far along the line points are, from its middle, and across it."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        dx, dy = xy[:, 0] - self.x, xy[:, 1] - self.y
        return dx * c + dy * s, dy * c - dx * s

    def near(self, xy: Floats, across: float, beyond: float) -> NDArray[np.bool_]:
        """Return which points are so near, and not so far beyond its ends."""
        t, d = self.offsets(xy)
        return (np.abs(d) <= across) & (np.abs(t) <= self.length / 2 + beyond)


def richest(xy: Floats, rule: Rule) -> Line | None:
    """Return the line of most points that obeys the rule and stands out, None if there is none.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Points of one frame, arcsec.
    rule : Rule
    """
    side = max(_FIELD, float(np.ptp(xy, axis=0).max()))
    density = len(xy) / side**2
    cost = max(1 / (_GAP * rule.length), _CROWD * density * 2 * rule.tolerance)
    wide = replace(rule, tolerance=1.5 * rule.tolerance)
    for candidate in _candidates(xy, rule, side):
        line = _stretch(xy, candidate, wide, cost)
        if line is not None:
            # once more along the points themselves
            line = _stretch(xy, _fitted(xy, line, rule), rule, cost)
        if line is None or _crowded(xy, line, rule, density):
            continue
        if _by_chance(xy, line, rule, density) * side**2 < _ALARMS:
            return line
    return None


def _candidates(xy: Floats, rule: Rule, side: float) -> list[Line]:
    """Return lines with enough points by them, those of most first.

    A Hough transform: for each angle, how many points are at each offset.
    """
    from scipy.ndimage import maximum_filter

    # over half the field a step of angle is worth half a tolerance
    angles = np.arange(0, np.pi, rule.tolerance / side)
    bins = int(np.hypot(*np.ptp(xy, axis=0)) / rule.tolerance) + 5
    mx, my = (xy.min(axis=0) + xy.max(axis=0)) / 2
    x, y = xy[:, 0] - mx, xy[:, 1] - my
    counts = np.empty((len(angles), bins), np.int32)
    for k, angle in enumerate(angles):
        offset = y * np.cos(angle) - x * np.sin(angle)
        cell = np.rint(offset / rule.tolerance).astype(np.int64) + bins // 2
        counts[k] = np.bincount(cell, minlength=bins)
    # a line on the border of two cells has the points of both
    counts[:, 1:-1] = counts[:, 1:-1] + np.maximum(counts[:, :-2], counts[:, 2:])
    peaks = (counts == maximum_filter(counts, 5)) & (counts >= rule.points)
    rows, columns = np.nonzero(peaks)
    best = np.argsort(-counts[rows, columns], kind="stable")[:_TRIES]
    offsets = (columns[best] - bins // 2) * rule.tolerance
    return [
        Line(float(mx - o * np.sin(a)), float(my + o * np.cos(a)), float(a), 0.0, 0, 0.0)
        for a, o in zip(angles[rows[best]], offsets, strict=True)
    ]


def _stretch(xy: Floats, line: Line, rule: Rule, cost: float) -> Line | None:
    """Return the stretch of a line that is worth most, None if it is too poor or too short."""
    t, d = line.offsets(xy)
    near = np.flatnonzero(np.abs(d) <= rule.tolerance)
    near = near[np.argsort(t[near], kind="stable")]
    gap = _GAP * rule.length
    best, worth = near[:0], 0.0
    for part in np.split(near, np.flatnonzero(np.diff(t[near]) > gap) + 1):
        if len(part) < rule.points:
            continue
        sums = np.arange(len(part)) - cost * t[part]
        gains = sums - np.minimum.accumulate(sums)
        last = int(np.argmax(gains))
        if gains[last] > worth:
            first = int(np.argmin(sums[: last + 1]))
            best, worth = part[first : last + 1], float(gains[last])
    if len(best) < rule.points or t[best[-1]] - t[best[0]] < rule.length:
        return None
    middle = (t[best[0]] + t[best[-1]]) / 2
    return Line(
        float(line.x + middle * np.cos(line.angle)),
        float(line.y + middle * np.sin(line.angle)),
        line.angle,
        float(t[best[-1]] - t[best[0]]),
        len(best),
        float(np.percentile(np.abs(d[best]), 95)),
    )


def _fitted(xy: Floats, line: Line, rule: Rule) -> Line:
    """Return the line of least squares through the points of a stretch."""
    own = xy[line.near(xy, 1.5 * rule.tolerance, 1.0)]
    x, y = own.mean(axis=0)
    c, s = np.linalg.svd(own - own.mean(axis=0), full_matrices=False)[2][0]
    return Line(float(x), float(y), float(np.arctan2(s, c)), 0.0, 0, 0.0)


def _beside(xy: Floats, line: Line, rule: Rule, density: float) -> float:
    """Return how many points the surroundings would put on a line."""
    inner, outer = (rule.tolerance * s for s in _SIDES)
    both = np.count_nonzero(line.near(xy, outer, 0.0)) - np.count_nonzero(line.near(xy, inner, 0.0))
    sides = both / (2 * (outer - inner) * line.length)
    return float(max(density, sides) * 2 * rule.tolerance * line.length)


def _crowded(xy: Floats, line: Line, rule: Rule, density: float) -> bool:
    """Whether the surroundings are nearly as dense, or the points a clump."""
    if line.points < _CROWD * _beside(xy, line, rule, density):
        return True
    # where it is at least half as dense as on average: a clump's stragglers make no line
    short = replace(rule, points=2, length=rule.length / 2)
    core = _stretch(xy, line, short, line.points / line.length / 2)
    if core is None:
        return True
    along, across = core.offsets(xy[core.near(xy, _SIDES[1] * rule.tolerance, 0.0)])
    return bool(along.std() < ELONGATED * across.std())


def _by_chance(xy: Floats, line: Line, rule: Rule, density: float) -> float:
    """Return how many stretches with so many points there are by chance, a square arcsec."""
    from scipy.special import gammainc

    # the probability of so many or more, of a Poisson distribution
    probability = gammainc(line.points, _beside(xy, line, rule, density))
    return float(probability * np.pi / rule.tolerance**2)
