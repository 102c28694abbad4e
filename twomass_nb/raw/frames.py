"""The frames of one raw file, whatever its name says: both reads, their number, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NotFoundError, warn
from ..files import as_path
from .layout import Layout
from .screening import check_before_reading
from .source import FrameSource, Shape

if TYPE_CHECKING:
    from dask.array import Array as DaskArray

__all__ = ["RawFrames", "Read"]


class Read:
    """One of the two reads of a scan: ``scan.r1(i)`` is a frame, ``scan.r1.array`` all of them."""

    def __init__(self, scan: RawFrames, index: int) -> None:
        self._scan, self._index = scan, index

    def __call__(self, i: int) -> NDArray[np.uint16]:
        """Return frame `i`, counted from 0: array of uint16, shape (256, 256), read-only.

        Row 0 is the southernmost; x rises to the west.

        Raises
        ------
        NotFoundError
            If the scan has no such frame.
        """
        return self._scan.frame(i)[self._index]

    @property
    def array(self) -> NDArray[np.uint16]:
        """All frames, shape (n_frames, 256, 256); a read-only view."""
        return self._scan.frames[:, self._index]

    def __repr__(self) -> str:
        return f"<r{self._index + 1} of {self._scan!r}>"


class RawFrames:
    """The frames of a raw file, read when asked for.

    Attributes
    ----------
    path, folder : Path
    """

    def __init__(self, path: Any, layout: Layout | str | None = None, cache: bool = True) -> None:
        if layout is not None and not isinstance(layout, Layout):
            layout = Layout(layout)
        self.path = as_path(path)
        self.folder = self.path.parent
        check_before_reading(self.path)
        self._source = FrameSource(self.path, layout, cache)
        self._warned = False

    @property
    def r1(self) -> Read:
        """The first read, 52 ms after the reset."""
        return Read(self, 0)  # not kept: two that know each other outlive their last use

    @property
    def r2(self) -> Read:
        """The second read, 1350 ms after the reset."""
        return Read(self, 1)

    @property
    def must_be_read(self) -> bool:
        """Whether only its whole content can tell how, and if, the file can be opened."""
        return self._source.must_be_read

    @property
    def frames(self) -> NDArray[np.uint16]:
        """All frames, shape (n_frames, 2, 256, 256): axes frame, read, row, column; read-only.

        A memory map for an uncompressed ``.rdo`` in this machine's byte order, and for frames
        found in the cache. A file must not be cut short while it is mapped: where it ends early
        the system ends the process. Single frames are safe from that.
        """
        frames = self._source.frames()
        self._look()
        return frames

    def _look(self) -> tuple[Shape, tuple[Layout, str]]:
        """Return what the file says; warn, once, of what is not as it should be."""
        shape, chosen = self._source.look()
        if not self._warned:
            self._warned = True
            for text in self._warnings(shape):
                warn(text)
        return shape, chosen

    def _warnings(self, shape: Shape) -> Iterator[str]:
        """Yield what a person should know of the file."""
        n, name = shape.n_frames, self.path.name
        if shape.truncated:
            yield (
                f"{name} is cut off: its last whole frame is {n - 1}, counted from 0, and no "
                "checksum vouches for its frames; fetch it again"
            )
        if shape.rubbish:
            yield (
                f"{name} has {shape.rubbish} bytes of rubbish after its end, which are ignored: "
                f"its last frame is {n - 1}, counted from 0, if they hide no more"
            )

    @property
    def n_frames(self) -> int:
        """Number of (whole) frames in the file."""
        return self._look()[0].n_frames

    @property
    def truncated(self) -> bool:
        """Whether the file is cut off; its frames are those before the cut."""
        return self._look()[0].truncated

    @property
    def layout(self) -> Layout:
        """Word order the file is decoded with."""
        return self._look()[1][0]

    @property
    def layout_source(self) -> str:
        """How the word order is known: given, documented, found, learnt, or that of its night."""
        return self._look()[1][1]

    def check_frame(self, i: int) -> int:
        """Return `i` if it is the number of a frame.

        Raises
        ------
        NotFoundError
            If it is not; frames are counted from 0, and not from the end.
        """
        n = self.n_frames
        if not isinstance(i, (int, np.integer)) or isinstance(i, bool) or not 0 <= i < n:
            msg = f"there is no frame {i!r} in {self.path.name}: it has frames 0 to {n - 1}"
            raise NotFoundError(msg)
        return int(i)

    def frame(self, i: int) -> NDArray[np.uint16]:
        """Return both reads of frame `i`: array of uint16, shape (2, 256, 256), read-only."""
        return self._source.frame(self.check_frame(i))

    def difference(self, i: int) -> NDArray[np.int32]:
        """Return r2 - r1 of frame `i`: array of int32, shape (256, 256); may be negative."""
        both = self.frame(i).astype(np.int32)
        return both[1] - both[0]

    def to_dask(self, frames_per_chunk: int = 16) -> DaskArray:
        """Return all frames as a lazy Dask array, shape (n_frames, 2, 256, 256) of uint16.

        Tasks open the file where they run, also in other processes and on other machines that
        see it under the same path; frames come out of the cache where they are in it. Without a
        cache each chunk reads the whole file again.

        Parameters
        ----------
        frames_per_chunk : int, optional
            4 MB for 16.

        Raises
        ------
        TwomassError
            If Dask is not installed.
        """
        from .lazy import as_dask

        _ = self._look()
        return as_dask(self._source, frames_per_chunk)
