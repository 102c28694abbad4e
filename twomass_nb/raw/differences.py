"""Reversible differences of words modulo 65536: which there are, how they are made and undone.

A file may hold, instead of a word, what it has more than the one before it along an axis; the
first word along the axis stays itself. Differences along several axes can be had at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LayoutError

__all__ = ["DIRECTIONS", "difference", "normal", "undo"]

#: Along what differences are taken. "x" and "y" stay within a quadrant, "Xx" and "Yy" run along
#: a whole row or column of the array.
DIRECTIONS = ("r", "f", "x", "Xx", "y", "Yy")
_AXIS_OF_ARRAY = {"f": 0, "r": 1, "Yy": 2, "Xx": 3}
_AXIS_OF_QUADRANTS = {"y": 3, "x": 5}


def normal(text: str) -> str:
    """Return names of differences in their normal order, as ``"r -Xx"``.

    Parameters
    ----------
    text : str
        Directions, blanks between; with ``-`` the words are taken from those before them.

    Raises
    ------
    LayoutError
        If a name is none of `DIRECTIONS`, or two of them share an axis.
    """
    steps = text.split() if isinstance(text, str) else ["?"]
    bare = [step.removeprefix("-") for step in steps]
    axes = [name[-1] for name in bare]
    if not set(bare) <= set(DIRECTIONS) or len(set(axes)) < len(axes):
        msg = (
            f"{text!r} names no differences: write some of {' '.join(DIRECTIONS)}, each axis "
            "once, with - before it where the word is taken from the one before"
        )
        raise LayoutError(msg)
    return " ".join(sorted(steps, key=lambda s: DIRECTIONS.index(s.removeprefix("-"))))


def difference(frames: NDArray[np.uint16], steps: str, block: int | None = None) -> None:
    """Put differences in the place of words.

    Parameters
    ----------
    frames : array of uint16 of any byte order, shape (n, 2, 256, 256)
        Contiguous; changed in place.
    steps : str
        As `normal` returns it.
    block : int, optional
        Differences along f begin anew after so many frames.
    """

    def take(words: NDArray[Any], sign: str) -> None:
        if sign:
            np.subtract(words[:-1], words[1:], out=words[1:])
        else:
            words[1:] -= words[:-1]

    _along(frames, steps, block, take)


def undo(frames: NDArray[np.uint16], steps: str, block: int | None = None) -> None:
    """Put the words back in the place of differences; the parameters are those of `difference`."""

    def give_back(words: NDArray[Any], sign: str) -> None:
        for k in range(1, len(words)):
            if sign:
                np.subtract(words[k - 1], words[k], out=words[k])
            else:
                words[k] += words[k - 1]

    _along(frames, steps, block, give_back)


def _along(
    frames: NDArray[np.uint16],
    steps: str,
    block: int | None,
    work: Callable[[NDArray[Any], str], None],
) -> None:
    """Let `work` change the frames along each direction, given as the first axis of a view."""
    n = len(frames)
    for step in steps.split():
        name = step.removeprefix("-")
        if name in _AXIS_OF_QUADRANTS:
            axis, shape = _AXIS_OF_QUADRANTS[name], [n, 2, 2, 128, 2, 128]
        else:
            axis, shape = _AXIS_OF_ARRAY[name], [n, 2, 256, 256]
        size = block or n if name == "f" else 16  # frames at a time: a copy of them stays small
        for first in range(0, n, max(size, 1)):
            part = frames[first : first + size]
            work(np.moveaxis(part.reshape(len(part), *shape[1:]), axis, 0), step[: -len(name)])
