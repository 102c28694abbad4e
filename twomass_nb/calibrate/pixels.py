"""Which pixels are bad, hot, noisy or bistable, by darks and responsivity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array.readout import QUADRANT
from .darks import Dark
from .flags import FLAG_TYPE, Flag
from .twilights import Twilight

__all__ = ["pixel_flags"]

# Chosen. Hot: so many noises of a single frame above the pixels beside it, so that it shows in
# any frame. Bad: less than half or more than one and a half of its neighbours' responsivity.
# Noisy: so many times the noise that its signal explains.
_HOT, _BAD, _NOISY = 5.0, 0.5, 3.0
_REACH = 7  # pixels to either side along the row: a cluster of hot ones is narrower


def pixel_flags(dark: Dark, twilight: Twilight) -> NDArray[Any]:
    """Return the flags that pixels have in any frame, shape (256, 256)."""
    usual = float(np.median(dark.noise))
    excess = dark.difference - _beside(dark.difference)
    hot = excess > _HOT * usual
    explained = np.sqrt(usual**2 + np.maximum(excess, 0) / twilight.gain)
    noisy = (dark.noise > _NOISY * explained) & ~dark.bistable
    with np.errstate(invalid="ignore"):
        relative = twilight.slope / _beside(twilight.slope)
        bad = ~(np.abs(relative - 1) < _BAD)  # NaN too
    flags = np.zeros(hot.shape, FLAG_TYPE)
    for which, flag in (
        (bad, Flag.BAD), (hot, Flag.HOT), (noisy, Flag.NOISY), (dark.bistable, Flag.BISTABLE),
    ):  # fmt: skip
        flags[which] |= np.uint8(flag)
    return flags


def _beside(image: NDArray[Any]) -> NDArray[Any]:
    """Return the median of the pixels beside each, read just before and after it.

    What the readout adds changes slowly along a row of a quadrant, and fast across rows.
    """
    quadrants = image.reshape(-1, QUADRANT)
    padded = np.pad(quadrants, ((0, 0), (_REACH, _REACH)), mode="reflect")
    shifts = [d for d in range(2 * _REACH + 1) if d != _REACH]
    stack = np.stack([padded[:, d : d + QUADRANT] for d in shifts])
    return np.asarray(np.nanmedian(stack, axis=0)).reshape(image.shape)
