"""How a night's dark frames become one dark, with the error and the noise of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CalibrationError
from .leftout import LeftOut, name_of
from .shutter import light_in_frames, light_in_noise, light_in_read1

if TYPE_CHECKING:
    from ..raw import RawScan

__all__ = ["Dark", "combine"]

# Values so many standard deviations off the median are left out, up to so many times over.
_CLIP, _ROUNDS = 4.0, 5
_FEWEST = 3  # frames
_ROWS = 32  # at a time, to save memory
# Two levels of a pixel: so many frames at least in each, and so many noises apart.
_AT_EACH, _APART = 3, 5.0


@dataclass(frozen=True)
class Dark:
    """What the arrays give without light, in DN, arrays of float32 of shape (256, 256).

    Attributes
    ----------
    r1, difference : array
        Mean of read 1, and of r2 - r1.
    r1_error, difference_error : array
        Standard errors of these means.
    r1_noise, noise : array
        Standard deviation of a single frame's read 1, and r2 - r1.
    bistable : array of bool
    n_frames : int
        Frames used.
    left_out : tuple of LeftOut
    """

    r1: NDArray[np.float32]
    r1_error: NDArray[np.float32]
    r1_noise: NDArray[np.float32]
    difference: NDArray[np.float32]
    difference_error: NDArray[np.float32]
    noise: NDArray[np.float32]
    bistable: NDArray[np.bool_]
    n_frames: int
    left_out: tuple[LeftOut, ...]


def combine(scans: Sequence[RawScan]) -> Dark:
    """Combine dark scans.

    Parameters
    ----------
    scans : sequence of RawScan

    Returns
    -------
    Dark

    Raises
    ------
    CalibrationError
        If fewer than three frames are dark.
    """
    r1 = np.concatenate([scan.frames[:, 0].astype(np.float32) for scan in scans])
    difference = np.concatenate([scan.frames[:, 1] for scan in scans]) - r1
    kept, left_out = _without_light(scans, r1, difference)
    if np.count_nonzero(kept) < _FEWEST:
        why = f" ({left_out[0]})" if left_out else ""
        msg = f"fewer than {_FEWEST} dark frames are usable{why}: give dark scans of another night"
        raise CalibrationError(msg)
    if not kept.all():
        r1, difference = r1[kept], difference[kept]
    bistable = two_levels(difference)
    return Dark(
        *_clipped_mean(r1), *_clipped_mean(difference), bistable, len(difference), tuple(left_out)
    )


def _without_light(
    scans: Sequence[RawScan], r1: NDArray[np.float32], difference: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], list[LeftOut]]:
    """Return which frames are dark, and why the others are not."""
    in_both = light_in_frames(difference, _noise_of(difference)), light_in_read1(r1)
    reasons = np.array([one or other for one, other in zip(*in_both, strict=True)], object)
    kept, left_out, stop = reasons == "", [], 0
    for scan in scans:
        start, stop = stop, stop + scan.n_frames
        mine, name = kept[start:stop], name_of(scan)
        if not mine.any():
            left_out.append(LeftOut(name, None, f"all frames: {reasons[start]}"))
        elif reason := light_in_noise(difference[start:stop][mine]):
            left_out.append(LeftOut(name, None, reason))
            mine[:] = False
        else:
            left_out += [LeftOut(name, int(i), reasons[start + i]) for i in np.flatnonzero(~mine)]
    return kept, left_out


def _noise_of(difference: NDArray[np.float32]) -> float:
    """Return the noise of a pixel of a frame: from steps between frames, of some pixels."""
    if len(difference) < 2:
        return 0.0
    steps = np.diff(difference[:, ::8, ::8], axis=0)
    return float(1.4826 / np.sqrt(2) * np.median(np.abs(steps)))


def _clipped_mean(
    stack: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return mean, its standard error and the standard deviation, without the outliers."""
    from astropy.stats import sigma_clip

    out = np.empty((3, *stack.shape[1:]), np.float32)
    for start in range(0, stack.shape[1], _ROWS):
        rows = slice(start, start + _ROWS)
        kept = sigma_clip(
            stack[:, rows], sigma=_CLIP, maxiters=_ROUNDS, cenfunc="median", stdfunc="std",
            axis=0, masked=False,
        )  # fmt: skip
        n = np.count_nonzero(np.isfinite(kept), axis=0)
        mean = np.nanmean(kept, axis=0, dtype=np.float64)
        variance = np.nanvar(kept, axis=0, ddof=1, dtype=np.float64)
        # rounding to whole DN is noise even where a pixel never moves
        std = np.sqrt(np.maximum(variance, 1 / 12))
        out[:, rows] = mean, std / np.sqrt(n), std
    return out[0], out[1], out[2]


def two_levels(difference: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find pixels whose values are of two levels, each of them taken more than once or twice."""
    spread = difference.std(axis=0)
    usual = float(np.median(spread))
    found = np.zeros(spread.shape, bool)
    if len(difference) < 2 * _AT_EACH:
        return found
    for y, x in np.argwhere(spread > 2 * usual):
        values = np.sort(difference[:, y, x])
        gaps = np.diff(values[_AT_EACH - 1 : len(values) - _AT_EACH + 1])
        split = _AT_EACH + int(np.argmax(gaps))
        within = max(values[:split].std(), values[split:].std(), usual)
        apart = values[split:].mean() - values[:split].mean()
        found[y, x] = gaps.max() > 2 * within and apart > _APART * within
    return found
