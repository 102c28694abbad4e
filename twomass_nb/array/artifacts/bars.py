"""Jail bars and the first-column transient: what a quadrant's columns have in both reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .measured import Measured, measured, rms_without_noise
from .stacking import FixedPattern, clipped_mean, quadrants

__all__ = ["FirstColumn", "JailBars", "first_column", "jail_bars"]

# Rows of a quadrant that the reset decay has left alone.
_QUIET = slice(64, 128)
# The first column read has its transient, and the second what is left of it.
_FIRST = 2
_PERIODS = range(2, 17)
_SAME_FIT = 0.02  # a longer period must explain so much more of the variance


@dataclass(frozen=True)
class JailBars:
    """The fixed pattern of the columns.

    Attributes
    ----------
    r1, r2 : array, shape (4, 128)
        DN of each column of each quadrant about their mean; NaN in columns 0 and 1. Read 1 is
        taken without light.
    r1_error, r2_error : array, shape (4, 128)
    rms, peak_to_peak : Measured, shape (4,)
        Of read 1, noise taken out of the rms.
    rms_r2 : Measured, shape (4,)
    correlation : Measured, shape (4,)
        Of the columns of both reads.
    remainder : Measured, shape (4,)
        Rms of the columns in r2 - r1, noise taken out.
    period : int
        Columns after which the pattern repeats; 0 if it does not.
    """

    r1: NDArray[np.float64]
    r2: NDArray[np.float64]
    r1_error: NDArray[np.float64]
    r2_error: NDArray[np.float64]
    rms: Measured
    peak_to_peak: Measured
    rms_r2: Measured
    correlation: Measured
    remainder: Measured
    period: int


def jail_bars(pattern: FixedPattern) -> JailBars:
    """Measure the jail bars of each quadrant.

    Parameters
    ----------
    pattern : FixedPattern
        Of darks. In frames of the sky read 2 has the pixels' responsivity times the sky, too.
    """
    one, one_error = _columns(pattern.start.mean)
    two, two_error = _columns(pattern.r2.mean)
    left, left_error = _columns(pattern.difference.mean)
    bars, bars2, rest = (_about_mean(x) for x in (one, two, left))
    return JailBars(
        bars, bars2, one_error, two_error,
        _rms(bars, one_error), _peak_to_peak(bars, one_error), _rms(bars2, two_error),
        _correlation(bars, bars2), _rms(rest, left_error), _period(bars),
    )  # fmt: skip


@dataclass(frozen=True)
class FirstColumn:
    """The transient at the first column read of each quadrant.

    Attributes
    ----------
    r1, r2, difference : Measured, shape (4,)
        How far the column stands out of what its bar should be. Columns differ from their bar
        alike in all quadrants, so the mean of the four is not known better than each.
    second : Measured, shape (4,)
        What is left of it in the second column, as a share.
    profile : array, shape (2, 128)
        The lower quadrants' mean column values in r1 and r2, DN about their medians.
    """

    r1: Measured
    r2: Measured
    difference: Measured
    second: Measured
    profile: NDArray[np.float64]


def first_column(pattern: FixedPattern) -> FirstColumn:
    """Measure the transient of the first column in both reads and in their difference."""
    stacks = (pattern.start.mean, pattern.r2.mean, pattern.difference.mean)
    columns = [_columns(image)[0] for image in stacks]
    period = _period(_about_mean(columns[0]))
    found = [_above_bar(values, period) for values in columns]
    (first, off), *_ = found
    share = first[:, 1] / first[:, 0]
    share_error = np.hypot(off, share * off) / np.abs(first[:, 0])
    profile = np.stack([np.mean(x[:2] - np.median(x[:2], axis=1)[:, None], 0) for x in columns[:2]])
    r1, r2, difference = (measured(value[:, 0], error) for value, error in found)
    return FirstColumn(
        r1, r2, difference,
        measured(share, share_error, ""),
        profile,
    )  # fmt: skip


def _columns(image: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each column's value over the quiet rows, and its error from their scatter."""
    return clipped_mean(quadrants(image)[:, _QUIET], axis=1, clip=4.0)


def _about_mean(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns about their mean; the first ones are left out (NaN)."""
    out = columns - columns[:, _FIRST:].mean(axis=1, keepdims=True)
    out[:, :_FIRST] = np.nan
    return out


def _rms(bars: NDArray[np.float64], error: NDArray[np.float64]) -> Measured:
    """Rms of each quadrant's columns, without their noise."""
    b, e = bars[:, _FIRST:], error[:, _FIRST:]
    n = b.shape[1]
    noise = np.mean(e**2, axis=1)
    spread = np.sqrt(4 * np.sum(b**2 * e**2, axis=1) + 2 * np.sum(e**4, axis=1)) / n
    return rms_without_noise(np.mean(b**2, axis=1) - noise, spread)


def _peak_to_peak(bars: NDArray[np.float64], error: NDArray[np.float64]) -> Measured:
    high, low = np.nanargmax(bars, axis=1), np.nanargmin(bars, axis=1)
    q = np.arange(len(bars))
    return measured(bars[q, high] - bars[q, low], np.hypot(error[q, high], error[q, low]))


def _correlation(one: NDArray[np.float64], two: NDArray[np.float64]) -> Measured:
    pairs = zip(one[:, _FIRST:], two[:, _FIRST:], strict=True)
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in pairs])
    return measured(r, (1 - r**2) / np.sqrt(one.shape[1] - _FIRST - 2), "")


def _period(bars: NDArray[np.float64]) -> int:
    """Return the shortest period that explains about as much of the pattern as any."""
    mean = np.nanmean(bars[:, _FIRST:], axis=0)
    n = mean.size
    power = np.sum(mean**2) / (n - 1)
    explained = {
        p: 1 - np.sum((mean - _folded(mean, p)) ** 2) / (n - p) / max(power, 1e-12)
        for p in _PERIODS
    }
    best = max(explained.values())
    if best < 0.5:
        return 0
    return min(p for p, part in explained.items() if part >= best - _SAME_FIT)


def _folded(values: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Each value replaced by the mean of those a whole number of periods away."""
    phase = np.arange(values.size) % period
    sums = np.bincount(phase, values, period) / np.bincount(phase, minlength=period)
    return np.asarray(sums[phase])


def _above_bar(columns: NDArray[np.float64], period: int) -> tuple[Any, NDArray[np.float64]]:
    """Columns 0 and 1 above their bars, (4, 2), and how far columns are from their bars, (4,)."""
    period = period or 1
    rest = columns[:, period * -(-_FIRST // period) :]  # begins at a bar of column 0's phase
    trend = [np.polyfit(np.arange(row.size), row, 2) for row in rest]
    start = columns.shape[1] - rest.shape[1]
    above, off = np.empty((len(columns), 2)), np.empty(len(columns))
    for q, (row, curve) in enumerate(zip(rest, trend, strict=True)):
        flat = row - np.polyval(curve, np.arange(row.size))
        bar = _folded(flat, period)
        expected = bar[np.arange(2) % period] + np.polyval(curve, np.arange(2) - start)
        above[q] = columns[q, :2] - expected
        left = flat - bar
        repeats = row.size // period
        scatter = np.sqrt(np.sum(left**2) / (row.size - period))
        off[q] = scatter * np.sqrt(1 + 1 / repeats)
    return above, off
