"""Hot and bistable pixels: which, how hot, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .measured import DN
from .stacking import EXPOSURE, QUADRANT, FixedPattern, quadrants

__all__ = ["Bistable", "HotPixels", "bistable_pixels", "hot_pixels"]

_HALF = 7  # pixels of a row on each side that say what is usual there
_SURE = 6.0  # scatters above that
_MAD = 1.4826


@dataclass(frozen=True)
class HotPixels:
    """Pixels that collect more without light than their neighbours, the hottest first.

    Attributes
    ----------
    x, y : array of int
        Column and row, from 0.
    rate, error : `~astropy.units.Quantity`
        DN a second above the pixels beside it in its row.
    image : array, shape (256, 256)
        That rate, DN a second, of all pixels.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    rate: u.Quantity
    error: u.Quantity
    image: NDArray[np.float64]


def hot_pixels(pattern: FixedPattern, least: u.Quantity = 20 * DN / u.s) -> HotPixels:
    """Find the hot pixels.

    Parameters
    ----------
    pattern : FixedPattern
        Of darks. In frames of the sky the pixels' responsivity hides all but the hottest.
    least : Quantity, optional
        Rate from which on a pixel counts as hot.
    """
    rate, error = (
        image / EXPOSURE for image in (pattern.difference.mean, pattern.difference.error)
    )
    limit = u.Quantity(least, DN / u.s).value
    hot = np.zeros(rate.shape, bool)
    for _ in range(3):  # hot neighbours spoil what is usual: without them, again
        above, scatter, of_usual = _above_row(np.where(hot, np.nan, rate), rate)
        hot = (above > _SURE * np.hypot(scatter, error)) & (above >= limit)
    y, x = np.nonzero(hot)
    order = np.argsort(-above[y, x])
    y, x = y[order], x[order]
    # where pixels differ by more than noise, as they do in light, so may this one
    total = np.hypot(np.maximum(error, scatter), of_usual)
    return HotPixels(x, y, above[y, x] * DN / u.s, total[y, x] * DN / u.s, above)


def _above_row(
    usual: NDArray[np.float64], rate: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return rates above the median of the pixels beside them.

    With it, the scatter of a row's pixels about that median, and the median's error.
    """
    parts = quadrants(usual)
    padded = np.pad(parts, ((0, 0), (0, 0), (_HALF, _HALF)), constant_values=np.nan)
    beside = sliding_window_view(padded, 2 * _HALF + 1, axis=-1)
    middle = np.nanmedian(beside, axis=-1)
    off = quadrants(rate) - middle
    # of the whole row: few pixels do not tell a scatter
    scatter = _MAD * np.nanmedian(np.abs(off), axis=-1, keepdims=True)
    error = 1.25 * np.nanstd(beside, axis=-1) / np.sqrt(np.isfinite(beside).sum(-1))
    return _whole(off), _whole(np.broadcast_to(scatter, off.shape)), _whole(error)


def _whole(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put quadrants together again."""
    return np.moveaxis(parts.reshape(2, 2, QUADRANT, QUADRANT), 1, 2).reshape(
        2 * QUADRANT, 2 * QUADRANT
    )


@dataclass(frozen=True)
class Bistable:
    """Pixels that have two states, the largest jump first: candidates.

    Attributes
    ----------
    x, y : array of int
    jump : `~astropy.units.Quantity`
        Between the states in r2 - r1, DN.
    jump_r1 : `~astropy.units.Quantity`
        The same in r1.
    share : array
        Of frames in the higher state.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    jump: u.Quantity
    jump_r1: u.Quantity
    share: NDArray[np.float64]


def bistable_pixels(frames: NDArray[np.uint16]) -> Bistable:
    """Find pixels whose frames fall in two groups with an empty gap between.

    Each group holds at least an eighth of the frames (and four), and the gap is 8 times the
    scatter in the groups and more. A star is in a pixel for a frame or two, and makes no group.

    Parameters
    ----------
    frames : array of uint16, shape (n, 2, 256, 256)
        At least 10.
    """
    both = np.asarray(frames).astype(np.float32)
    first, difference = both[:, 0], both[:, 1] - both[:, 0]
    difference = difference - np.median(difference[:, ::4, ::4], axis=(1, 2))[:, None, None]
    n = len(difference)
    least = max(4, n // 8)
    ranked = np.sort(difference, axis=0)
    gaps = np.diff(ranked, axis=0)[least - 1 : n - least]
    k = gaps.argmax(axis=0) + least  # frames in the lower group
    gap = gaps.max(axis=0)
    y, x = np.nonzero(gap > 30)  # of those, look closer
    keep = [
        i for i, (r, c) in enumerate(zip(y, x, strict=True))
        if gap[r, c] > 8 * max(_spread(ranked[: k[r, c], r, c]), _spread(ranked[k[r, c] :, r, c]))
    ]  # fmt: skip
    y, x = y[keep], x[keep]
    split = ranked[k[y, x], y, x]
    upper = difference[:, y, x] >= split
    jumps = [_jump(values[:, y, x], upper) for values in (difference, first)]
    order = np.argsort(-jumps[0])
    return Bistable(
        x[order], y[order], jumps[0][order] * DN, jumps[1][order] * DN, upper.mean(0)[order]
    )


def _spread(values: NDArray[np.float32]) -> float:
    return float(np.std(values)) + 1.0


def _jump(values: NDArray[np.float32], upper: NDArray[np.bool_]) -> NDArray[np.float64]:
    high, low = np.where(upper, values, np.nan), np.where(upper, np.nan, values)
    return np.asarray(np.nanmedian(high, axis=0) - np.nanmedian(low, axis=0), float)
