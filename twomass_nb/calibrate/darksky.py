"""Which frames of a scan show dark sky: those whose background has no structure of its own.

A nebula is in all the frames of a block and would come out as part of the sky offset. It moves
over the array with the sky, and what belongs to the array stays, or changes slowly over a scan
as airglow and twilight do. So what is looked at are medians of 32 x 32 pixels, which stars hardly
change, averaged over the frames that see one place, against their slow course over the scan. A
sky that rises evenly along a whole scan cannot be told from an array that does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLACE_FRAMES", "background_error", "dark_frames", "own_structure"]

#: Frames that see one place of the sky.
PLACE_FRAMES = 7
# Chosen: of the quietest frames, as many as a block has, the others may have twice the structure.
_QUIET, _TIMES = 42, 2.0
# Frames: from so many on averages are of frames that see a place, and a course may bend.
_MANY, _LONG = 3 * PLACE_FRAMES, 84
_TERMS = 5  # of a course that bends: a twilight that fades by a factor of 7 is followed
_PASSES = 30


def own_structure(parts: NDArray[Any]) -> NDArray[np.float64]:
    """Return how much structure of its own each frame's background has.

    Parameters
    ----------
    parts : array, shape (n, 8, 8)
        Medians of parts of the array, frame by frame in the order of the scan, DN.

    Returns
    -------
    array, shape (n,)
        Rms over the parts, DN; noise is in it.
    """
    n = len(parts)
    values = parts.reshape(n, -1).astype(np.float64)
    values -= np.mean(values, axis=1)[:, None]
    width = PLACE_FRAMES if n >= _MANY else 1
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    first = np.clip(np.arange(n) - width // 2, 0, n - width)
    mean = (sums[first + width] - sums[first]) / width
    return _rms(mean - _course(mean))


def _course(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return smooth courses over the scan, in a short one what is constant: (n, parts).

    The sum over the frames of how far each is off is least, so frames that are far off do not
    draw, if they are not the most.
    """
    n = len(values)
    terms = np.vander(np.linspace(-1, 1, n), _TERMS if n >= _LONG else 1)
    weight = np.ones(n)
    for _ in range(_PASSES):
        weighed = terms.T * weight
        course = terms @ np.linalg.solve(weighed @ terms, weighed @ values)
        weight = 1 / np.maximum(_rms(values - course), 1e-3)
    return course


def _rms(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.mean(values**2, axis=1)))


def dark_frames(structure: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which frames show dark sky, by their structure: those not much worse than the quietest.

    Half of the frames of a short scan count as quiet. Where the whole scan is crowded or nebulous
    none is better than these, and `background_error` says how good that is.
    """
    quiet = np.sort(structure)[: min(_QUIET, (len(structure) + 1) // 2)]
    return np.asarray(structure <= _TIMES * np.median(quiet))


def background_error(structure: NDArray[np.float64], n_frames: int) -> float:
    """Return by how much the mean background of some frames is off, DN, rms over the parts.

    Parameters
    ----------
    structure : array, shape (n,)
        Of the frames averaged.
    n_frames : int
        Of their scan: in a short one part of the structure is taken for that of the array.
        Infinite if all its frames see one place: then nothing tells sky from array.
    """
    if n_frames <= PLACE_FRAMES:
        return float("inf")
    seen_apart = len(structure) / PLACE_FRAMES * (1 - PLACE_FRAMES / n_frames)
    return float(np.sqrt(np.mean(structure**2) / seen_apart))
