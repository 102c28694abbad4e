"""The order of the bytes in a raw file: the one place that knows it.

A scan is an array of bytes with seven axes::

    f frame   r read (2)   Y quadrant row (2)   y row (128)   X quadrant column (2)
    x column (128)   b byte (2)

Row ``Y * 128 + y`` is counted from the south, column ``X * 128 + x`` from the left. A `Layout`
is an order of these axes, outermost first, and which of the two bytes is the high one. The
order of ``.rdo`` files is documented, ``f r Y y X x b``; that of ``.rds`` files is not. In case
it needs more than that, a layout may hold for blocks of frames, one after the other, and a file
may have differences in the place of words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import LayoutError, RawFileError
from .codec import reorder
from .differences import difference as put_differences
from .differences import normal, undo

__all__ = ["AXES", "FRAME_BYTES", "Layout", "reorder_bytes"]

#: The axes in the order of ``.rdo``, and their lengths (0: the number of frames).
AXES = "frYyXxb"
LENGTHS = {"f": 0, "r": 2, "Y": 2, "y": 128, "X": 2, "x": 128, "b": 2}
#: Bytes of a frame: two reads of 256 x 256 words of 16 bits.
FRAME_BYTES = 2 * 256 * 256 * 2

_HIGH_PLANE = (
    1 if sys.byteorder == "little" else 0
)  # where a word of this machine has its high byte
_TEXT = re.compile(
    r"(?P<order>[^,]*?)(?:,\s*(?P<byte>high|low) byte first)?"
    r"(?:,\s*in blocks of (?P<block>\d+) frames)?(?:,\s*differences along (?P<steps>[^,]*))?"
)


@dataclass(frozen=True)
class Layout:
    """A word order of raw files.

    Parameters
    ----------
    order : str
        The seven axes f r Y y X x b, outermost first, blanks as you like:
        ``"f r b Y y X x"``. ``str(layout)`` is taken too.
    high_first : bool, optional
        Whether, of the two bytes of a word, the high one comes first along axis b.
    block : int, optional
        The order holds for blocks of so many frames, of which the last may be shorter; for the
        whole scan unless given.
    difference : str, optional
        Along what the file has differences modulo 65536 in the place of words; none unless
        given. ``"r"``: read 2 less read 1. ``"f"``: less the frame before, in a block.
        ``"x"``, ``"y"``: less the neighbour in the quadrant; ``"Xx"``, ``"Yy"``: in the array.
        ``"-r"``: the other sign. ``"r Xx"``: both.

    Attributes
    ----------
    axes : str
        The seven letters without blanks.
    block : int or None
        None also where blocks make no difference.
    difference : str
    RDO : Layout
        The documented order of ``.rdo`` files; their byte order is not stated anywhere.

    Raises
    ------
    LayoutError
        If `order` is not an order of the seven axes, or the rest is impossible.
    """

    axes: str
    high_first: bool = True
    block: int | None = None
    difference: str = ""

    RDO: ClassVar[Layout]
    _places: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __init__(
        self, order: str, high_first: bool = True, block: int | None = None, difference: str = ""
    ) -> None:
        match = _TEXT.fullmatch(str(order).strip())
        axes = "".join(match["order"].split()) if match else str(order)
        if sorted(axes) != sorted(AXES):
            msg = (
                f"{order!r} is not a word order: write each of the axes f r Y y X x b once, "
                "outermost first, as 'f r b Y y X x'"
            )
            raise LayoutError(msg)
        assert match is not None
        if match["byte"]:
            high_first = match["byte"] == "high"
        block = int(match["block"]) if match["block"] else block
        if block is not None and (not isinstance(block, (int, np.integer)) or block < 1):
            msg = f"a word order cannot hold for blocks of {block!r} frames: give 1 or more"
            raise LayoutError(msg)
        block = None if block is None else int(block)
        steps = normal(match["steps"] or difference)
        if block == 1:  # whatever lies inside of a block of one frame, the frames follow each other
            axes = "f" + axes.replace("f", "")
            steps = " ".join(step for step in steps.split() if step[-1] != "f")
        if axes[0] == "f" and "f" not in steps:
            block = None
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "high_first", bool(high_first))
        object.__setattr__(self, "block", block)
        object.__setattr__(self, "difference", steps)
        object.__setattr__(self, "_places", tuple(axes.index(a) for a in AXES))

    def __str__(self) -> str:
        text = f"{' '.join(self.axes)}, {'high' if self.high_first else 'low'} byte first"
        if self.block:
            text += f", in blocks of {self.block} frames"
        return text + (f", differences along {self.difference}" if self.difference else "")

    def __repr__(self) -> str:
        text = f"Layout({' '.join(self.axes)!r}, high_first={self.high_first}"
        if self.block:
            text += f", block={self.block}"
        return text + (f", difference={self.difference!r})" if self.difference else ")")

    @property
    def frames_together(self) -> bool:
        """Whether each frame is one piece of the file, so that a cut file has whole frames."""
        return self.axes[0] == "f"

    def whole_frames(self, n_frames: int) -> int:
        """Return how many frames can be read in a cut file of the length of `n_frames`.

        All where frames are together; those of whole blocks where they come in blocks (a last,
        shorter block cannot be told from a cut one); otherwise none.
        """
        if self.frames_together:
            return n_frames
        return n_frames // self.block * self.block if self.block else 0

    def bytes_of(self, data: Any, n_frames: int) -> NDArray[np.uint8]:
        """Return the bytes of a file as an array with the axes of ``.rdo``.

        Parameters
        ----------
        data : bytes-like or array of uint8
            Whole content of a (decompressed) file.
        n_frames : int

        Returns
        -------
        array of uint8, shape (n_frames, 2, 2, 128, 2, 128, 2)
            Axes f r Y y X x b; along b in the file's own order. Differences stay differences.
            A view where the file is one block, else a copy.

        Raises
        ------
        RawFileError
            If `data` does not hold exactly `n_frames` frames.
        """
        parts = [content for _, content in self.blocks_of(data, n_frames)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def blocks_of(self, data: Any, n_frames: int) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """Yield, for each block, which frames it holds and a view of its bytes, axes as .rdo."""
        flat = np.frombuffer(data, np.uint8)
        if flat.size != n_frames * FRAME_BYTES:
            msg = (
                f"{flat.size} bytes are not {n_frames} frames: a frame has {FRAME_BYTES} bytes, "
                "so give the whole file and its number of frames"
            )
            raise RawFileError(msg)
        size = min(self.block or n_frames, n_frames)
        for first in range(0, max(n_frames, 1), max(size, 1)):
            which = slice(first, min(first + size, n_frames))
            shape = tuple(LENGTHS[a] or which.stop - first for a in self.axes)
            part = flat[first * FRAME_BYTES : which.stop * FRAME_BYTES]
            yield which, part.reshape(shape).transpose(self._places)

    def decode(self, data: Any, n_frames: int) -> NDArray[np.uint16]:
        """Return the frames held by the bytes of a file.

        Parameters
        ----------
        data : bytes-like or array of uint8
            Whole content of a (decompressed) file.
        n_frames : int

        Returns
        -------
        array of uint16, shape (n_frames, 2, 256, 256)
            Axes frame, read (r1, r2), row, column; in this machine's byte order.

        Raises
        ------
        RawFileError
            If `data` does not hold exactly `n_frames` frames.
        """
        frames = np.empty((n_frames, 2, 256, 256), np.uint16)
        for which, content in self.blocks_of(data, n_frames):
            self._copy(frames[which], content, decoding=True)
        undo(frames, self.difference, self.block)
        return frames

    def decode_frame(self, data: Any, n_frames: int, i: int) -> NDArray[np.uint16]:
        """Return one frame, shape (2, 256, 256), without decoding all others; see `decode`.

        Where frames are differences, those before it in its block are decoded too.
        """
        for which, content in self.blocks_of(data, n_frames):
            if which.start <= i < which.stop:
                before = i - which.start if "f" in self.difference else 0
                frames = np.empty((before + 1, 2, 256, 256), np.uint16)
                last = i - which.start + 1
                self._copy(frames, content[last - before - 1 : last], decoding=True)
                undo(frames, self.difference)
                return frames[-1]
        msg = f"there is no frame {i} among {n_frames}"
        raise RawFileError(msg)

    def encode(self, frames: NDArray[np.uint16]) -> bytes:
        """Return the bytes of a file that holds `frames`; undoes `decode`.

        Parameters
        ----------
        frames : array of uint16, shape (n_frames, 2, 256, 256)

        Raises
        ------
        RawFileError
            If `frames` has another shape, or values that are not 16-bit words.
        """
        frames = np.asarray(frames)
        if frames.ndim != 4 or frames.shape[1:] != (2, 256, 256) or frames.dtype.kind not in "ui":
            msg = (
                f"frames of shape {frames.shape} and type {frames.dtype} cannot be written: "
                "give whole numbers of shape (n_frames, 2, 256, 256)"
            )
            raise RawFileError(msg)
        if frames.dtype != np.uint16:
            if frames.size and (frames.min() < 0 or frames.max() > 0xFFFF):
                msg = "frames hold values outside 0 to 65535: raw words are unsigned 16-bit"
                raise RawFileError(msg)
            frames = frames.astype(np.uint16)
        frames = frames.copy("C") if self.difference else np.ascontiguousarray(frames)
        put_differences(frames, self.difference, self.block)
        out = np.empty(frames.shape[0] * FRAME_BYTES, np.uint8)
        for which, content in self.blocks_of(out, len(frames)):
            self._copy(frames[which], content, decoding=False)
        return out.tobytes()

    def _copy(
        self, frames: NDArray[np.uint16], content: NDArray[np.uint8], *, decoding: bool
    ) -> None:
        """Copy between frames and the bytes of a file seen with the axes of ``.rdo``."""
        n = len(frames)
        if n == 0:
            return
        shape = (n, 2, 2, 128, 2, 128)
        if self.axes[-1] == "b":  # words are whole in the file: move words, not bytes
            words = content.view(">u2" if self.high_first else "<u2")[..., 0]
            pairs: list[tuple[NDArray[Any], NDArray[Any]]] = [(frames.reshape(shape), words)]
        else:
            planes = frames.view(np.uint8).reshape(*shape, 2)
            high = 0 if self.high_first else 1
            pairs = [
                (planes[..., _HIGH_PLANE], content[..., high]),
                (planes[..., 1 - _HIGH_PLANE], content[..., 1 - high]),
            ]
        for in_frames, in_file in pairs:
            if decoding:
                reorder(in_frames, in_file)
            else:
                reorder(in_file, in_frames)


def reorder_bytes(
    data: NDArray[np.uint8], n_frames: int, source: Layout, target: Layout
) -> NDArray[np.uint8]:
    """Return the bytes of a file of order `source` in the order `target`.

    Which byte of a word is high plays a part only where there are differences. Both files then
    have the bytes of their words the way the layout with the differences says.
    """
    out = np.empty(n_frames * FRAME_BYTES, np.uint8)
    if source.block == target.block is None and source.difference == target.difference:
        both_words = source.axes[-1] == target.axes[-1] == "b"
        views = target.bytes_of(out, n_frames), source.bytes_of(data, n_frames)
        _copy_bytes(*views, both_words)
        return out
    rdo = Layout.RDO.bytes_of(out, n_frames)
    for which, content in source.blocks_of(data, n_frames):
        _copy_bytes(rdo[which], content, source.axes[-1] == "b")
    for layout, work in ((source, undo), (target, put_differences)):
        words = out.view(">u2" if layout.high_first else "<u2")
        work(words.reshape(-1, 2, 256, 256), layout.difference, layout.block)
    if target.axes == AXES:
        return out
    reordered = np.empty_like(out)
    for which, content in target.blocks_of(reordered, n_frames):
        _copy_bytes(content, rdo[which], target.axes[-1] == "b")
    return reordered


def _copy_bytes(dst: NDArray[np.uint8], src: NDArray[np.uint8], whole_words: bool) -> None:
    """Copy between views with the axes of ``.rdo``; words at a time if both sides have them."""
    if whole_words:
        reorder(dst.view(np.uint16)[..., 0], src.view(np.uint16)[..., 0])
    else:
        for side in (0, 1):
            reorder(dst[..., side], src[..., side])


Layout.RDO = Layout("f r Y y X x b")
