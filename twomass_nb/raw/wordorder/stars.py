"""What stars look like under a guess of the word order: momentary, moving, wider than a pixel.

The measurements of `detect` that need stars; what needs none is in `evidence`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .evidence import SEED, Words

__all__ = ["Excursions", "liveliest", "moving_stars", "neighbours", "stronger_in_second"]

_MOST_EVENTS = 20000
_WORDS_AT_ONCE = 1 << 13
# Stars move by the frame step, 82.0 to 83.3 arcsec (real headers), over pixels of 1.98 to 2.01
# arcsec: 40.9 to 42.0 rows; and by less than 0.5 column (rotation) to either side.
_HIGH = 10.0  # times the scatter of a pixel
# An echo in read 1, 0.0385 of the rise in read 2, is above its noise from here on.
_BRIGHT, _BRIGHT_DN, _FEWEST_BRIGHT = 130.0, 800.0, 40
_ECHO = (0.015, 0.08)
_ROWS = range(40, 44)
_COLUMNS = range(-2, 3)


class Excursions:
    """Where pixels rise for a moment far above their own level: stars passing by.

    Parameters
    ----------
    cube : array of uint16, shape (frames, words)
        Successive frames; words of a frame in any order.
    sigmas : float
        How many times a pixel's own scatter an excursion must reach.

    Attributes
    ----------
    frame, word : array of int
        Where the excursions are, at most 20000, chosen at random.
    height : array of float
        How high, in units of the pixel's scatter.
    level : array of float, shape (words,)
        The pixels' own levels, in DN.
    near : array of bool, shape (frames, words)
        Where pixels are at all above their level, by 3.5 times their scatter.
    """

    def __init__(self, cube: NDArray[np.uint16], sigmas: float = 7.0) -> None:
        n, words = cube.shape
        self.near = np.empty((n, words), np.bool_)
        self.level = np.empty(words, np.float32)
        parts: list[tuple[NDArray[Any], ...]] = []
        for start in range(0, words, _WORDS_AT_ONCE):
            part = slice(start, start + _WORDS_AT_ONCE)
            series = np.ascontiguousarray(cube[:, part].T)
            ordered = np.sort(series, axis=1)
            level = ordered[:, n // 2].astype(np.float32)
            # Stars only raise pixels: the lower half of a pixel's values tells its scatter.
            sigma = np.maximum(level - ordered[:, int(n * 0.16)], 1.5)
            height = (series - level[:, None]) / sigma[:, None]
            self.near[:, part] = (height > 3.5).T
            self.level[part] = level
            events = height > sigmas
            events &= events.mean(axis=1)[:, None] < 0.2  # pixels that do it often are bad pixels
            word, frame = np.nonzero(events)
            parts.append((word + start, frame, height[word, frame]))
        word, frame, height = (np.concatenate(column) for column in zip(*parts, strict=True))
        # Frames with far more of them than others show a meteor, clouds or a lamp.
        counts = np.bincount(frame, minlength=n)
        calm = (counts <= min(3 * np.percentile(counts, 80) + 50, 0.1 * words))[frame]
        word, frame, height = word[calm], frame[calm], height[calm]
        if word.size > _MOST_EVENTS:
            # Any of them, not the highest: faint stars cover the fewest pixels.
            some = np.random.default_rng(SEED).permutation(word.size)[:_MOST_EVENTS]
            word, frame, height = word[some], frame[some], height[some]
        self.word, self.frame, self.height = word, frame, height

    def in_half(self, stride: int, half: int) -> Excursions:
        """Return those in one half along an axis of length 2; words are then counted there."""
        part = object.__new__(Excursions)
        frames = len(self.near)
        part.near = self.near.reshape(frames, -1, 2, stride)[:, :, half].reshape(frames, -1)
        inside = (self.word // stride) % 2 == half
        word = self.word[inside]
        part.frame, part.height = self.frame[inside], self.height[inside]
        part.word = word // (2 * stride) * stride + word % stride
        part.level = self.level.reshape(-1, 2, stride)[:, half].reshape(-1)
        return part

    @cached_property
    def chance(self) -> float:
        """How often pixels are above their level anyway."""
        return float(self.near.mean())

    def __len__(self) -> int:
        return self.word.size


def stronger_in_second(
    cube: NDArray[np.uint16], found: Excursions, stride: int
) -> tuple[float, float, int]:
    """Return how an axis of length 2 behaves as that of the reads would.

    Read 2 gathers the light of 1350 ms, read 1 that of 52 ms, so the rise in read 2 is 26 times
    that in read 1 (less for the few pixels that saturate). Other halves are different pixels,
    and either may rise more; and what is far above one pixel's level leaves no echo in another.

    Returns
    -------
    share : float
        Of the excursions that rise more in the second half.
    echo : float
        Share of those bright enough for an echo in read 1 to be seen that have one; 0 where they
        are few.
    count : int
        Number of excursions that were looked at.
    """
    high = found.height > _HIGH
    word, frame, height = found.word[high], found.frame[high], found.height[high]
    if not word.size:
        return 0.0, 0.0, 0
    second = word | stride  # strides among the words of a frame are powers of 2
    first = second ^ stride
    rises = [cube[frame, w] - found.level[w] for w in (first, second)]
    share = float((rises[1] > 2 * np.abs(rises[0])).mean())
    bright = (height > _BRIGHT) & (rises[1] > _BRIGHT_DN)
    if bright.sum() < _FEWEST_BRIGHT:
        return share, 0.0, int(word.size)
    low, high_ratio = _ECHO
    ratio = rises[0][bright] / rises[1][bright]
    echo = float(((ratio > low) & (ratio < high_ratio)).mean())
    return share, echo, int(word.size)


def liveliest(words: Words, stride: int, count: int) -> slice:
    """Return the successive frames, `count` of them, in which most pixels rise for a moment.

    Parameters
    ----------
    words : Words
    stride : int
        Of axis f.
    count : int
        At most the number of frames.
    """
    n = words.n_frames
    start = np.random.default_rng(SEED).integers(0, words.data.size, 6000)
    start = start - (start // stride) % n * stride
    start = start - (start // words.b) % 2 * words.b
    series = words.at(start[:, None] + np.arange(n) * stride)
    low, level = np.percentile(series, [16, 50], axis=1)
    rises = (series - level[:, None]) > 10 * np.maximum(level - low, 1.5)[:, None]
    per_frame = np.append(0, np.cumsum(rises.sum(axis=0)))
    first = int(np.argmax(per_frame[count:] - per_frame[:-count]))
    return slice(first, first + count)


def neighbours(found: Excursions, stride: int, length: int) -> float:
    """Return the share of excursions whose neighbour along an axis is raised as well.

    The image of a star covers pixels next to each other. Chance is subtracted.
    """
    index = (found.word // stride) % length
    inside = index < length - 1
    if inside.sum() < 50:
        return 0.0
    share = found.near[found.frame[inside], found.word[inside] + stride].mean()
    return float(share) - found.chance


def moving_stars(found: Excursions, strides: dict[str, int]) -> tuple[float, float, int]:
    """Return how often a star is found again, a frame later and a step further along y.

    Parameters
    ----------
    found : Excursions
        In read 2.
    strides : dict
        Strides of the axes Y y X x among the words of the read.

    Returns
    -------
    all_found, crossers_found : float
        Share of the excursions found again, less chance: of all, and of those that pass from
        one quadrant row to the next meanwhile.
    n_crossers : int
    """
    index = {a: (found.word // strides[a]) % (2 if a in "YX" else 128) for a in "YyXx"}
    y, x = index["Y"] * 128 + index["y"], index["X"] * 128 + index["x"]
    last = found.frame < found.near.shape[0] - 1
    chance = found.chance
    best: tuple[float, float, int] = (-1.0, 0.0, 0)
    for sign in (1, -1):
        hits, inside, rows = _found_again(found, strides, y, x, sign)
        inside &= last
        if not inside.any():
            continue
        rate = float(hits[inside].mean()) - chance
        if rate > best[0]:
            crossing = inside & ((y // 128) != (rows // 128))
            n = int(crossing.sum())
            best = (rate, float(hits[crossing].mean()) - chance if n else 0.0, n)
    return best


def _found_again(
    found: Excursions, strides: dict[str, int], y: Any, x: Any, sign: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Look for each excursion in the next frame, at the one offset that finds most of them."""
    following = np.minimum(found.frame + 1, found.near.shape[0] - 1)
    best: tuple[int, Any, Any, Any] | None = None
    for rows in _ROWS:
        for columns in _COLUMNS:
            y2, x2 = y + sign * rows, x + columns
            inside = (y2 >= 0) & (y2 < 256) & (x2 >= 0) & (x2 < 256)
            yc, xc = np.clip(y2, 0, 255), np.clip(x2, 0, 255)
            word = (
                yc // 128 * strides["Y"]
                + yc % 128 * strides["y"]
                + xc // 128 * strides["X"]
                + xc % 128 * strides["x"]
            )
            hits = found.near[following, word] & inside
            if best is None or hits.sum() > best[0]:
                best = (int(hits.sum()), hits, inside, y2)
    assert best is not None
    return best[1], best[2], best[3]
