"""How frames are put together so that what stays in its pixel remains: stars, light, noise go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry import SIZE

__all__ = [
    "EXPOSURE",
    "LIGHT_IN_READ1",
    "QUADRANT",
    "FixedPattern",
    "Stack",
    "clipped_mean",
    "quadrants",
]

#: Side of a quadrant, pixels.
QUADRANT = SIZE // 2
#: Seconds from read 1 to read 2, and the share of their light that read 1 has (header: TIMER0 =
#: 52 ms after the reset, TIMER1 = 1298 ms later).
EXPOSURE = 1.298
LIGHT_IN_READ1 = 0.052 / EXPOSURE
_CLIP = 5.0  # scatters from the median
_LEAST_SCATTER = 1.0  # DN: numbers are whole
_MAD = 1.4826


def quadrants(image: NDArray[Any]) -> NDArray[Any]:
    """Return the quadrants, (..., 4, 128, 128): lower left, lower right, upper left, upper right.

    Parameters
    ----------
    image : array, shape (..., 256, 256)
        Row 0 at the bottom.
    """
    lead = image.shape[:-2]
    parts = image.reshape(*lead, 2, QUADRANT, 2, QUADRANT)
    return np.moveaxis(parts, -2, -3).reshape(*lead, 4, QUADRANT, QUADRANT)


def clipped_mean(
    values: NDArray[Any], axis: int = -1, clip: float = 3.0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean along an axis without what is far off, and its standard error.

    Far off is more than `clip` robust scatters from the median. NaN is left out.
    """
    values = np.moveaxis(np.asarray(values, float), axis, -1)
    middle = np.nanmedian(values, axis=-1, keepdims=True)
    scatter = _MAD * np.nanmedian(np.abs(values - middle), axis=-1, keepdims=True)
    kept = np.abs(values - middle) <= clip * np.maximum(scatter, 1e-9)
    return _mean(values, kept, -1)


def _mean(
    values: NDArray[Any], kept: NDArray[np.bool_], axis: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    n = np.maximum(kept.sum(axis), 1)
    mean = np.where(kept, values, 0).sum(axis, dtype=float) / n
    off = np.where(kept, values - np.expand_dims(mean, axis), 0)
    # n - 3, not n - 1: a scatter from few values is uncertain, and that widens the error
    return mean, np.sqrt((off**2).sum(axis, dtype=float) / np.maximum(n - 3, 1) / n)


@dataclass(frozen=True)
class Stack:
    """Frames put together.

    Attributes
    ----------
    mean, error : array, shape (256, 256)
        DN; the error is that of the mean, from the scatter among frames.
    """

    mean: NDArray[np.float64]
    error: NDArray[np.float64]


class FixedPattern:
    """What stays in its pixel from frame to frame.

    The level of each quadrant of each frame is evened out first, so that a drifting sky does not
    count as scatter. What is far from a pixel's median in r2 - r1 is left out: stars move by a
    sixth of a frame from one to the next.

    Parameters
    ----------
    frames : array of uint16, shape (n, 2, 256, 256)
        r1 and r2 of darks or of frames of the sky; at least 5.

    Attributes
    ----------
    n : int
    r1, r2, difference : Stack
    start : Stack
        Read 1 without light, ``r1 - (r2 - r1) * 52 / 1298``: what the ramp of each pixel started
        from. Light and hot pixels are gone from it; of what is in read 1 alone it has 1.04.
    """

    def __init__(self, frames: NDArray[np.uint16]) -> None:
        both = np.asarray(frames).astype(np.float32)
        self.n = len(both)
        self._reads = both[:, 0], both[:, 1]
        difference, level = _evened(both[:, 1] - both[:, 0])
        off = np.abs(difference - np.median(difference, axis=0))
        scatter = np.maximum(_MAD * np.median(off, axis=0), _LEAST_SCATTER)
        self._kept = off <= _CLIP * scatter
        self.difference = self._stack(difference, level)

    @cached_property
    def r1(self) -> Stack:
        """Read 1."""
        return self._stack(*_evened(self._reads[0]))

    @cached_property
    def r2(self) -> Stack:
        """Read 2."""
        return self._stack(*_evened(self._reads[1]))

    @cached_property
    def start(self) -> Stack:
        """Read 1 without light."""
        first, second = self._reads
        return self._stack(*_evened(first - np.float32(LIGHT_IN_READ1) * (second - first)))

    def _stack(self, evened: NDArray[np.float32], level: NDArray[np.float32]) -> Stack:
        mean, error = _mean(evened, self._kept, 0)
        return Stack(mean + np.kron(level.reshape(2, 2), np.ones((QUADRANT, QUADRANT))), error)


def _evened(frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return frames less the level of each quadrant, and each quadrant's mean level, shape (4,)."""
    levels = np.median(quadrants(frames)[..., ::4, ::4], axis=(-2, -1))
    blown = levels.reshape(-1, 2, 2).repeat(QUADRANT, 1).repeat(QUADRANT, 2)
    return frames - blown, levels.mean(axis=0)
