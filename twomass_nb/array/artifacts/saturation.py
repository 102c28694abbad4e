"""Saturation: the highest value of each quadrant, flat tops in r2, dark holes in r2 - r1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .measured import Measured, measured
from .stacking import quadrants

__all__ = ["Saturation", "saturation"]

# Read 1 has 1/25 of a ramp's light. If it stands so far above its own usual value, and read 2 does
# not stand above it, both are full. DN.
_BRIGHT, _SAME = 3000.0, 12.0
_PILED, _WITHIN = 4, 3.0  # values so near to the highest one that show a ceiling


@dataclass(frozen=True)
class Saturation:
    """Where and at which value pixels are full.

    Attributes
    ----------
    level : Measured, shape (4,)
        Value at which pixels are full, DN; NaN where no pixel of the quadrant was. The error is
        the scatter among full pixels, and not less than that of whole numbers.
    highest : array, shape (4,)
        Highest value of r2 in any frame, DN.
    holes, flat : array of int, shape (m, 3)
        Frame, row and column of each pixel full in both reads, and in r2 alone.
    frame : int
        The frame with most holes (with most flat pixels if there are no holes; 0 if none).
    """

    level: Measured
    highest: NDArray[np.float64]
    holes: NDArray[np.int64]
    flat: NDArray[np.int64]
    frame: int


def saturation(frames: NDArray[np.uint16]) -> Saturation:
    """Find the full pixels of all frames.

    Parameters
    ----------
    frames : array of uint16, shape (n, 2, 256, 256)
        Frames of the sky; a memory map is read a frame at a time.
    """
    usual = np.median(np.asarray(frames[:: max(1, len(frames) // 16), 0]), axis=0)
    highest = np.zeros(4)
    tops: list[NDArray[np.int64]] = []
    for i, (r1, r2) in enumerate(frames):
        first, second = r1.astype(np.float32), r2.astype(np.float32)
        highest = np.maximum(highest, quadrants(second).max(axis=(1, 2)))
        hole = (first > usual + _BRIGHT) & (np.abs(second - first) <= _SAME)
        high = second > usual + _BRIGHT
        y, x = np.nonzero(hole | high)
        tops.append(np.stack([np.full(y.size, i), y, x, second[y, x], hole[y, x]], 1).astype(int))
    found = np.concatenate(tops)
    where = 2 * (found[:, 1] // 128) + found[:, 2] // 128
    levels = [_level(found[where == q]) for q in range(4)]
    level = np.array([one for one, _ in levels])
    error = np.array([spread for _, spread in levels])
    holes = found[found[:, 4] == 1][:, :3]
    full = found[:, 3] >= (level - np.maximum(_WITHIN, 3 * error))[where]
    flat = found[full & (found[:, 4] == 0)][:, :3]
    most = holes if len(holes) else flat
    frame = int(np.bincount(most[:, 0]).argmax()) if len(most) else 0
    return Saturation(measured(level, error), highest, holes, flat, frame)


def _level(found: NDArray[np.int64]) -> tuple[float, float]:
    """Value of a quadrant's full pixels and its scatter: of holes, or of values piled up."""
    full = found[found[:, 4] == 1][:, 3]
    if len(full) < _PILED and len(found):
        full = found[found[:, 3] >= found[:, 3].max() - _WITHIN][:, 3]
    if len(full) < _PILED:
        return float("nan"), float("nan")
    return float(np.median(full)), float(max(np.std(full), 0.5))
