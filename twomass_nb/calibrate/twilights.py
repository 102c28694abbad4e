"""How the changing twilight tells the responsivity of each pixel, and the gain of the electronics.

The signal of a pixel is fitted as a line against the level of the frame, which is the median of
its pixels: the slope is the responsivity, whatever constant light there is besides. Read 1 is
fitted in the same way: its slope is the share of the light that it has collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..array.readout import read_before
from ..errors import CalibrationError
from .darks import Dark
from .leftout import LeftOut, name_of
from .lines import fit_lines
from .shutter import block_medians
from .weather import cloud_in_levels, cloud_in_patterns

if TYPE_CHECKING:
    from ..raw import RawScan

__all__ = ["Twilight", "respond"]

_ROWS = 4  # fitted at a time: few enough for the cache, which makes it twice as fast
_SPARSE = 4  # every fourth pixel is enough for a noise
_FEWEST = 5  # frames
_CHANGE = 1.1  # of the level, at least: what "changing" twilight means here
_TOP = 0.002  # share of a frame's pixels with its one highest value: it is saturated
_STARS = 0.01  # share of a frame's pixels off their lines: it is of no use. Chosen.
_FAINTEST = 0.1  # share of the frames whose plain ratio to the level is kept


@dataclass(frozen=True)
class Twilight:
    """What twilight frames say; arrays of shape (256, 256).

    Attributes
    ----------
    slope, slope_error : array
        Responsivity, its median is 1, and its statistical error; NaN where it is not known.
    ratio : array
        Signal over level in the faintest frames, its median is 1: the responsivity if the array
        and the dark are as they should be, but more noisy.
    share1 : array
        Signal of read 1 over that of r2 - r1.
    gain : float
        Electrons a DN, from the noise of the frames.
    levels : array, shape (n,)
        Of the frames used, DN of r2 - r1.
    faintest : float
        Mean level of the frames of `ratio`.
    star_pixels : int
        Values left out for stars, in all frames used.
    left_out : tuple of LeftOut
    """

    slope: NDArray[np.float64]
    slope_error: NDArray[np.float64]
    ratio: NDArray[np.float64]
    share1: NDArray[np.float64]
    gain: float
    levels: NDArray[np.float64]
    faintest: float
    star_pixels: int
    left_out: tuple[LeftOut, ...]


def respond(scans: Sequence[RawScan], dark: Dark) -> Twilight:
    """Measure responsivity with twilight scans.

    Parameters
    ----------
    scans : sequence of RawScan
    dark : Dark

    Returns
    -------
    Twilight

    Raises
    ------
    CalibrationError
        If too few frames are usable, or the level does not change.
    """
    survey = _Survey(scans, dark)
    survey.reject_weather()
    survey.require_change()
    gain = survey.gain()
    for _ in range(2):  # once more if frames prove to be full of stars
        sigma = np.sqrt(survey.noise**2 + np.maximum(survey.levels, 0) / gain)
        (slope, error, share1), (high, low) = _fit(survey, dark, sigma)
        worst = np.maximum(high, low) > _STARS * SIZE * SIZE
        if not worst.any():
            break
        survey.reject_starry(high, low, worst)
        survey.require_change()
    norm = np.nanmedian(slope)
    faint = np.argsort(survey.levels)[: max(_FEWEST, round(_FAINTEST * len(survey.levels)))]
    ratio = np.median([survey.signal(i) / survey.levels[i] for i in faint], axis=0)
    return Twilight(
        slope / norm, error / norm, ratio / np.nanmedian(ratio), _smooth_share(share1), gain,
        survey.levels, float(np.mean(survey.levels[faint])), int(high.sum()),
        tuple(survey.left_out),
    )  # fmt: skip


class _Survey:
    """The frames of twilight scans: one pass over them, and those that are still in use."""

    def __init__(self, scans: Sequence[RawScan], dark: Dark) -> None:
        self.dark = dark
        self.left_out: list[LeftOut] = []
        self.scans = {name_of(scan): scan.frames for scan in scans}
        self.whose = [(name, i) for name, frames in self.scans.items() for i in range(len(frames))]
        self.noise = float(np.median(dark.noise))
        n = len(self.whose)
        self.levels = np.empty(n)
        self._blocks = np.empty((n, SIZE // 32, SIZE // 32), np.float32)
        self._sparse = np.empty((n, (SIZE // _SPARSE) ** 2), np.float32)
        reasons = []
        for k, (name, i) in enumerate(self.whose):
            signal = self.signal(k)
            self.levels[k] = np.median(signal)
            self._blocks[k] = block_medians(signal[None])[0]
            self._sparse[k] = signal[::_SPARSE, ::_SPARSE].ravel()
            r2 = self.scans[name][i, 1]
            top = np.count_nonzero(r2 == r2.max())
            reasons.append("saturated" if top > _TOP * r2.size else "")
        self._reject(reasons)

    def signal(self, k: int) -> NDArray[np.float32]:
        """Return r2 - r1 of a frame in use, above the dark."""
        name, i = self.whose[k]
        both = self.scans[name][i]
        signal: NDArray[np.float32] = both[1].astype(np.float32) - both[0] - self.dark.difference
        return signal

    def rows(self, start: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return some rows of the frames in use: r1 and r2 - r1 above the dark, (n, pixels)."""
        part = slice(start, start + _ROWS)
        both = np.array([self.scans[name][i, :, part] for name, i in self.whose], np.float32)
        first = both[:, 0] - self.dark.r1[part]
        difference = both[:, 1] - both[:, 0] - self.dark.difference[part]
        n = len(self.whose)
        return first.reshape(n, -1), difference.reshape(n, -1)

    def _reject(self, reasons: Sequence[str]) -> None:
        keep = [k for k, reason in enumerate(reasons) if not reason]
        self.left_out += [
            LeftOut(*who, why) for who, why in zip(self.whose, reasons, strict=True) if why
        ]
        self.whose = [self.whose[k] for k in keep]
        self.levels = self.levels[keep]
        self._blocks, self._sparse = self._blocks[keep], self._sparse[keep]

    def reject_weather(self) -> None:
        """Leave out frames under a cloud: by the course of the levels, then by their patterns."""
        reasons: list[str] = []
        for name in self.scans:
            mine = [k for k, (whose, _) in enumerate(self.whose) if whose == name]
            reasons += cloud_in_levels(self.levels[mine])
        self._reject(reasons)
        if len(self.levels):
            self._reject(cloud_in_patterns(self._blocks, self.levels))

    def reject_starry(
        self, high: NDArray[np.int64], low: NDArray[np.int64], worst: NDArray[np.bool_]
    ) -> None:
        """Leave out frames in which too many pixels are off their lines."""
        size = SIZE * SIZE
        self._reject(
            [
                (f"stars: {h / size:.1%} of the pixels are too bright" if h >= b
                 else f"cloud: {b / size:.1%} of the pixels are too faint") if w else ""
                for h, b, w in zip(high, low, worst, strict=True)
            ]
        )  # fmt: skip

    def require_change(self) -> None:
        """Refuse to go on with too few frames, or with a level that stays as it is."""
        why = f" ({self.left_out[0]})" if self.left_out else ""
        if len(self.levels) < _FEWEST:
            msg = (
                f"{len(self.levels)} twilight frames are usable, {_FEWEST} are needed{why}: give "
                "twilight scans of another night"
            )
            raise CalibrationError(msg)
        low, high = self.levels.min(), self.levels.max()
        if high < _CHANGE * low:
            msg = (
                f"the twilight does not change: its frames have {low:.0f} to {high:.0f} DN"
                f"{why}; give scans taken while the sky grew darker or brighter"
            )
            raise CalibrationError(msg)

    def gain(self) -> float:
        """Return electrons a DN: from how noise grows with the level, frame against next frame."""
        found = []
        for k in range(len(self.whose) - 1):
            (name, i), (other, j) = self.whose[k], self.whose[k + 1]
            bright = self.levels[k] > (3 * self.noise) ** 2  # photons make most of the noise
            if name != other or j != i + 1 or not bright:
                continue
            # what one frame foretells of the next; stars and bad pixels are few
            factor = self.levels[k] / self.levels[k + 1]
            miss = self._sparse[k] - factor * self._sparse[k + 1]
            variance = (1.4826 * np.median(np.abs(miss - np.median(miss)))) ** 2
            expected = self.levels[k] + factor**2 * self.levels[k + 1]
            found.append((variance - (1 + factor**2) * self.noise**2) / expected)
        middle = float(np.median(found)) if found else 0.0
        if middle <= 0:
            msg = (
                "the noise of the twilight does not grow with its level: give raw frames of a "
                "twilight, one after the other"
            )
            raise CalibrationError(msg)
        return 1 / middle


def _fit(
    survey: _Survey, dark: Dark, sigma: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Fit all pixels, some rows at a time.

    Returns
    -------
    maps : array, shape (3, 256, 256)
        Slope, its error, share of read 1.
    off : array, shape (2, n)
        Pixels of each frame that are off their lines, for being too high and too low.
    """
    maps, off = np.empty((3, SIZE, SIZE)), np.zeros((2, len(sigma)), np.int64)
    sigma1 = np.full(len(sigma), float(np.median(dark.r1_noise)))
    allow = np.maximum(dark.noise / survey.noise, 1)  # hot pixels are noisy
    for start in range(0, SIZE, _ROWS):
        rows = slice(start, start + _ROWS)
        first, difference = survey.rows(start)
        allowed = allow[rows].ravel()
        lines = fit_lines(survey.levels, difference, sigma, allowed)
        lines1 = fit_lines(survey.levels, first, sigma1, allowed, lines.good)
        with np.errstate(divide="ignore", invalid="ignore"):
            share1 = lines1.slope / lines.slope
        maps[:, rows] = np.reshape([lines.slope, lines.error, share1], (3, -1, SIZE))
        off += lines.high, lines.low
    return maps, off


def _smooth_share(share1: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return read 1's share of the light as a line along the readout.

    It is the same for all pixels if each is reset as long before its read as the others, and
    rises by 6 microseconds a pixel if all are reset at once: the twilight decides.
    """
    y, x = np.mgrid[:SIZE, :SIZE]
    t = (read_before(x, y) / read_before(SIZE // 2 - 1, SIZE // 2 - 1) - 0.5).ravel()
    values = share1.ravel()
    good = np.isfinite(values)
    middle = np.median(values[good])
    good &= np.abs(values - middle) < 5 * 1.4826 * np.median(np.abs(values[good] - middle))
    slope, level = np.polyfit(t[good], values[good], 1)
    return np.asarray(level + slope * t).reshape(SIZE, SIZE)
