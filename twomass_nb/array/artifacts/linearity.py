"""Twilight linearity: (sky1 - dark) / (sky2 - dark), and which column departs from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ...errors import NotFoundError
from .measured import DN, Measured, measured
from .stacking import FixedPattern, clipped_mean, quadrants

__all__ = ["Linearity", "linearity"]

_APART = 1.3  # the brighter level over the fainter one, at least
_FULL = 0.002  # share of pixels at the highest value from which on a frame is too bright
_GROUP = 8  # frames of a level
_LEAST = 200.0  # DN: below it is no twilight
_SLICES = slice(2, 18)  # columns beside the first that it is compared with
# Persistence of the frames before: what a column gets too much, it shows again, a per cent or two.
_MEMORY = 0.01


@dataclass(frozen=True)
class Linearity:
    """The ratio of two twilight levels.

    Attributes
    ----------
    bright, faint : `~astropy.units.Quantity`
        Median levels of sky1 and sky2, dark taken off, DN.
    ratio : array, shape (256, 256)
        (sky1 - dark) / (sky2 - dark) over its median; NaN where pixels are dead.
    columns, error : array, shape (256,)
        The ratio's mean down each column, and its error.
    first : Measured, shape (4,)
        By how much the first column read of each quadrant departs from the columns beside it,
        in per cent.
    all_first : Measured
        The four together.
    levels, departure, departure_error : array, shape (m,)
        The same for several levels (DN) against the faintest one, in per cent.
    """

    bright: u.Quantity
    faint: u.Quantity
    ratio: NDArray[np.float64]
    columns: NDArray[np.float64]
    error: NDArray[np.float64]
    first: Measured
    all_first: Measured
    levels: NDArray[np.float64]
    departure: NDArray[np.float64]
    departure_error: NDArray[np.float64]


def linearity(twilight: NDArray[np.uint16], dark: FixedPattern) -> Linearity:
    """Compare the brightest twilight frames that are not saturated with the faintest ones.

    Stars move from frame to frame, and are left out with what is far from a pixel's median.

    Parameters
    ----------
    twilight : array of uint16, shape (n, 2, 256, 256)
        Frames of one or several twilight scans.
    dark : FixedPattern
        Of darks of the same night or near.

    Raises
    ------
    NotFoundError
        If there are no two levels to compare.
    """
    frames = np.asarray(twilight)
    level = np.array([_level(frame, dark) for frame in frames])
    good = np.flatnonzero(np.isfinite(level) & (level > _LEAST))
    good = good[np.argsort(level[good])]
    if len(good) < 10 or np.median(level[good[-5:]]) < _APART * np.median(level[good[:5]]):
        msg = (
            "the twilight frames do not show two levels: give twilight scans during which the "
            "sky changed by a third or more"
        )
        raise NotFoundError(msg)
    size = min(_GROUP, len(good) // 2)
    n = max(2, min(8, len(good) // size))
    starts = np.linspace(0, len(good) - size, n).astype(int)
    groups = [_light(frames[good[k : k + size]], dark) for k in starts]
    (faint, faint_level), (bright, bright_level) = groups[0], groups[-1]
    ratio = _ratio(bright, faint)
    columns, error = clipped_mean(ratio, axis=0)
    first, together = _first(ratio)
    others = [_first(_ratio(image, faint))[1] for image, _ in groups[1:]]
    return Linearity(
        bright_level * DN, faint_level * DN, ratio, columns, error, first, together,
        np.array([level for _, level in groups]),
        np.array([0.0] + [float(one.value.value) for one in others]),
        np.array([0.0] + [float(one.error.value) for one in others]),
    )  # fmt: skip


def _level(frame: NDArray[np.uint16], dark: FixedPattern) -> float:
    """Median light of a frame, NaN if it is saturated."""
    r1, r2 = frame.astype(np.float32)
    if np.mean(r2 >= r2.max() - 2) > _FULL:
        return float("nan")
    return float(np.median((r2 - r1 - dark.difference.mean)[::2, ::2]))


def _light(frames: NDArray[np.uint16], dark: FixedPattern) -> tuple[NDArray[np.float64], float]:
    """Mean light of frames of about one level, each scaled to their mean, and that level."""
    both = frames.astype(np.float32)
    light = both[:, 1] - both[:, 0] - dark.difference.mean.astype(np.float32)
    levels = np.median(light[:, ::2, ::2], axis=(1, 2))
    mean = float(levels.mean())
    image, _ = clipped_mean(light * (mean / levels)[:, None, None], axis=0, clip=4.0)
    return image, mean


def _ratio(bright: NDArray[np.float64], faint: NDArray[np.float64]) -> NDArray[np.float64]:
    alive = (faint > 0.5 * np.median(faint)) & (bright > 0.5 * np.median(bright))
    ratio = np.divide(bright, faint, out=np.full(bright.shape, np.nan), where=alive)
    return np.asarray(ratio / np.nanmedian(ratio))


def _first(ratio: NDArray[np.float64]) -> tuple[Measured, Measured]:
    """Departure of each quadrant's first column, and of all, in per cent.

    The error is the scatter along the column, or that among columns beside it if larger, and a
    hundredth of the departure for persistence.
    """
    columns, error = clipped_mean(quadrants(ratio), axis=1)
    beside, off = clipped_mean(columns[:, _SLICES], axis=1)
    scatter = off * np.sqrt(_SLICES.stop - _SLICES.start)
    value = 100 * (columns[:, 0] / beside - 1)
    noise = 100 * np.hypot(np.maximum(error[:, 0], scatter), off)
    mean = value.mean()
    return (
        measured(value, np.hypot(noise, _MEMORY * value), u.percent),
        measured(mean, np.hypot(np.sqrt(np.sum(noise**2)) / 4, _MEMORY * mean), u.percent),
    )
