"""What real frames look like under a guess of the word order: the measurements behind detection.

Each function measures one physical regularity of raw frames, from small samples picked out of
the file by index arithmetic. `detect` decides; the numbers that decide stand there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .byteorder import entropy

__all__ = ["SEED", "Words", "byte_planes", "column_spread", "frame_scatter", "halves_apart"]

SEED = 1997301
_SAMPLE = 1 << 15
_TIMES = 100
_PAIRS_AT_ONCE = 2000


def byte_planes(data: NDArray[np.uint8], stride: int) -> float:
    """Compare the bytes on either side of an axis of length 2 with this stride.

    High bytes take few values and low bytes many. Halves of any other axis hold as many of the
    one kind as of the other.

    Returns
    -------
    float
        Entropy (bits) of the second side's bytes less that of the first's: positive if the
        first are the high ones.
    """
    where = np.random.default_rng(SEED).integers(0, data.size, _SAMPLE)
    values, side = data[where], (where // stride) % 2
    return entropy(values[side == 1]) - entropy(values[side == 0])


@dataclass(frozen=True)
class Words:
    """The bytes of a file seen as words, once axis b is known.

    Attributes
    ----------
    data : array of uint8
    b : int
        Stride of axis b in bytes.
    high_first : bool
    n_frames : int
    """

    data: NDArray[np.uint8]
    b: int
    high_first: bool
    n_frames: int

    def at(self, where: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the words whose first bytes are at these places."""
        first, second = self.data[where].astype(np.int32), self.data[where + self.b]
        return first * 256 + second if self.high_first else first + second.astype(np.int32) * 256

    def frames(self, stride: int, which: slice) -> NDArray[np.uint16]:
        """Return some frames if axis f has this stride, shape (frames, 131072).

        The words of a frame are in the order they have in the file.
        """
        planes = self.data.reshape(-1, 2, self.b)
        parts = []
        for k in (0, 1):
            plane = planes[:, k]
            if stride > self.b:  # f is outside b
                inside = stride // (2 * self.b)
                cube = plane.reshape(-1, self.n_frames, inside, self.b)[:, which]
            else:
                cube = plane.reshape(plane.shape[0], -1, self.n_frames, stride)[:, :, which]
                cube = np.moveaxis(cube, 2, 1)
            parts.append(np.moveaxis(cube, 1, 0).reshape(cube.shape[1], -1))
        high, low = parts if self.high_first else parts[::-1]
        words = high.astype(np.uint16)
        words <<= 8
        words |= low
        return words


def frame_scatter(
    words: Words, stride: int | None, pairs: int = 3000
) -> tuple[float, float, float]:
    """Return how much pixels vary from frame to frame, if axis f has this stride.

    A pixel keeps its own offset, so the right stride gives the noise; others, which pass from
    pixel to pixel, add the differences of pixels. Differences of two pixels are used, in which
    the level of the sky cancels.

    Returns
    -------
    middle, spread, jumps : float
        Mean over pairs of pixels of the natural logarithm of their scatter in DN: by the middle
        half of the values, by their standard deviation, and by that of their second differences
        in time. With None as the stride, the answer for words picked at random.
    """
    rng = np.random.default_rng(SEED)
    n = words.n_frames
    times = np.unique(np.linspace(0, n - 1, min(n, _TIMES)).astype(np.int64))
    total, rounds = np.zeros(3), -(-pairs // _PAIRS_AT_ONCE)
    for _ in range(rounds):
        if stride is None:
            where = rng.integers(0, words.data.size, (2, _PAIRS_AT_ONCE, times.size))
        else:
            start = rng.integers(0, words.data.size, (2, _PAIRS_AT_ONCE))
            start = start - (start // stride) % n * stride
            where = start[..., None] + times * stride
        where = where - (where // words.b) % 2 * words.b
        first, second = words.at(where)
        difference = (first - second).astype(np.float32)
        ordered = np.sort(difference, axis=-1)
        # Half of the values lie within: passing stars, in crowded fields, do not widen it.
        middle = ordered[:, times.size * 3 // 4] - ordered[:, times.size // 4]
        spread = difference.std(axis=-1)  # sees rare jumps, as of multiples of the right stride
        # In twilights the sky fades over pixels that respond differently: smoothly, though.
        jumps = np.diff(difference, 2, axis=-1).std(axis=-1)
        logarithms = np.log(middle + 1.0), np.log(spread + 0.5), np.log(jumps + 0.5)
        total += [float(values.sum()) for values in logarithms]
    middle_log, spread_log, jumps_log = total / (rounds * _PAIRS_AT_ONCE)
    return float(middle_log), float(spread_log), float(jumps_log)


def column_spread(frames: NDArray[np.float32], order: str) -> float:
    """Return how far the pixels of a quadrant's column spread in read 1 (typical, in DN).

    Parameters
    ----------
    frames : array, shape (n, 131072)
        The words of frames, in the order they have in the file.
    order : str
        A guess of that order: the axes r Y y X x.
    """
    lengths = {"r": 2, "Y": 2, "y": 128, "X": 2, "x": 128}
    cube = frames.reshape(-1, *(lengths[axis] for axis in order))
    read1 = np.take(cube, 0, axis=1 + order.index("r"))
    rows = 1 + order.replace("r", "").index("y")
    low, high = np.percentile(read1, [25, 75], axis=rows)
    return float(np.median(high - low))


def halves_apart(frames: NDArray[np.float32], order: str) -> dict[str, tuple[float, float]]:
    """Return how the two halves along each of the axes r, Y and X differ, pixel by pixel.

    Parameters
    ----------
    frames : array, shape (n, 131072)
        The words of frames, in the order they have in the file.
    order : str
        A guess of that order: the axes r Y y X x.

    Returns
    -------
    dict of (float, float)
        Of each axis the middle of the differences, and how far they spread (half of them lie
        within), DN, in a typical frame. The lower rows of a quadrant, with the reset decay, are
        left out.
    """
    lengths = {"r": 2, "Y": 2, "y": 128, "X": 2, "x": 128}
    cube = frames.reshape(-1, *(lengths[axis] for axis in order))
    cube = np.take(cube, np.arange(64, 128), axis=1 + order.index("y"))
    apart = {}
    for axis in "rYX":
        first, second = np.moveaxis(cube, 1 + order.index(axis), 0)
        pixels = (second - first).reshape(len(frames), -1)
        low, middle, high = np.percentile(pixels, [25, 50, 75], axis=1)
        apart[axis] = float(np.median(middle)), float(np.median(high - low))
    return apart
