"""How frames are handed to Dask: by the path of their file, opened where a task runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NotFoundError, RawFileError, TwomassError
from . import decoded
from .layout import Layout
from .source import FrameSource

if TYPE_CHECKING:
    from dask.array import Array as DaskArray

__all__ = ["LazyFrames", "as_dask"]


@dataclass(frozen=True)
class LazyFrames:
    """The frames of a file, to be read where and when they are needed; small when it is pickled.

    Attributes
    ----------
    path : Path
    seen : tuple
        What the file was when this was made: another is an error.
    layout : Layout or None
        None where no word order says how to read it: then it is found again.
    cache : bool
    n_frames : int
    """

    path: Path
    seen: decoded.Identity
    layout: Layout | None
    cache: bool
    n_frames: int
    dtype = np.dtype(np.uint16)
    ndim = 4

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Frames, reads, rows, columns."""
        return self.n_frames, 2, 256, 256

    def __getitem__(self, index: tuple[Any, ...]) -> NDArray[np.uint16]:
        """Return some of the frames, or of their pixels: an array of its own."""
        # Where the file is on another machine only its size and time of change are the same.
        if decoded.identity(self.path)[2:4] != self.seen[2:4]:
            msg = f"{self.path} has changed since it was opened: open it again"
            raise RawFileError(msg)
        source = _source(self)
        numbers = np.arange(self.n_frames)[index[0]]
        if numbers.ndim == 0:
            return np.array(source.frame(int(numbers))[index[1:]])
        pixels = (slice(None), *index[1:])
        if not self.cache:
            source.look()  # keeps the bytes of the file, so that it is read once
            return source.frames()[numbers][pixels]
        some = np.empty((numbers.size, 2, 256, 256), np.uint16)
        for one, i in zip(some, numbers, strict=True):
            one[...] = source.frame(int(i))
        return some[pixels]


@lru_cache(maxsize=1)  # the tasks of a computation mostly are of one scan
def _source(lazy: LazyFrames) -> FrameSource:
    return FrameSource(lazy.path, lazy.layout, lazy.cache)


def as_dask(source: FrameSource, frames_per_chunk: int) -> DaskArray:
    """Return the frames of a file as a lazy array; see `RawScan.to_dask`."""
    try:
        import dask.array as da
        from dask.base import tokenize
    except ImportError:
        msg = "to_dask needs Dask, which is not here: pip install 'twomass_nb[scale]'"
        raise TwomassError(msg) from None
    if not isinstance(frames_per_chunk, (int, np.integer)) or frames_per_chunk < 1:
        msg = f"frames cannot be taken {frames_per_chunk!r} at a time: give 1 or more a chunk"
        raise NotFoundError(msg)
    shape, (layout, _) = source.look()
    path = source.path.absolute()
    order = None if source.converted else layout
    lazy = LazyFrames(path, source.seen(), order, source.cache, shape.n_frames)
    name = f"{path.name}-{tokenize(str(path), lazy.seen, str(order), source.cache)}"
    return da.from_array(
        lazy, chunks=(frames_per_chunk, 2, 256, 256), name=name, meta=np.empty((0,) * 4, np.uint16)
    )
