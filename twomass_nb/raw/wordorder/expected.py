"""What an .rds file should hold, if its words were those of an .rdo file or their differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..differences import difference
from ..layout import FRAME_BYTES
from .orders import axis_lengths

__all__ = ["Expected", "sums_by_frame"]

_F, _R, _ROW, _COLUMN = range(4)
_ALONG = {"f": _F, "r": _R, "y": _ROW, "Yy": _ROW, "x": _COLUMN, "Xx": _COLUMN}


@dataclass(frozen=True)
class Expected:
    """The bytes of a scan, axes as .rdo, after differences have taken the place of its words.

    Attributes
    ----------
    rdo : array of uint8
        Content of the .rdo file.
    n_frames : int
    steps : str
        Differences, as in `Layout.difference`.
    high_first : bool
        Which byte is high; plays a part only where there are differences.
    block : int or None
        Frames after which differences along f begin anew.
    """

    rdo: NDArray[np.uint8]
    n_frames: int
    steps: str = ""
    high_first: bool = True
    block: int | None = None

    @property
    def _words(self) -> NDArray[np.uint16]:
        words: NDArray[np.uint16] = self.rdo.view(">u2" if self.high_first else "<u2")
        return words.reshape(-1, 2, 256, 256)

    def whole(self) -> NDArray[np.uint8]:
        """Return all bytes, flat."""
        if not self.steps:
            return self.rdo
        words = self._words.copy()
        difference(words, self.steps, self.block)
        return words.reshape(-1).view(np.uint8)

    def at(self, where: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return some bytes.

        Parameters
        ----------
        where : array of int, shape (7, m)
            Indices along the axes f r Y y X x b.
        """
        if not self.steps:
            return self.rdo[np.ravel_multi_index(tuple(where), tuple(axis_lengths(self.n_frames)))]
        f, r, upper, y, right, x, b = where
        place = np.stack([f, r, 128 * upper + y, 128 * right + x])
        words = self._differences(place, self.steps.split()) % 65536
        high = (b == 0) == self.high_first
        return np.where(high, words >> 8, words & 255).astype(np.uint8)

    def _differences(self, place: NDArray[np.int64], steps: list[str]) -> NDArray[np.int64]:
        if not steps:
            return self._words[tuple(place)].astype(np.int64)
        *others, step = steps
        name = step.removeprefix("-")
        length = {"f": self.block or self.n_frames, "x": 128, "y": 128}.get(name, 256)
        before = place.copy()
        before[_ALONG[name]] -= (inside := place[_ALONG[name]] % length > 0)
        here = self._differences(place, others)
        change = here - self._differences(before, others)
        return np.where(inside, -change if step != name else change, here)

    def frame_sums(self) -> NDArray[np.int64]:
        """Return the sum of all bytes of each frame: no order within a frame changes it."""
        return sums_by_frame(self.whole())


def sums_by_frame(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the sum of the bytes of each piece of the length of a frame."""
    return data.reshape(-1, FRAME_BYTES).sum(axis=1, dtype=np.int64)
