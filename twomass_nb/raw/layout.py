"""The order of the bytes in a raw file: the one place that knows it.

A scan is an array of bytes with seven axes::

    f frame   r read (2)   Y quadrant row (2)   y row (128)   X quadrant column (2)
    x column (128)   b byte (2)

Row ``Y * 128 + y`` is counted from the south, column ``X * 128 + x`` from the left. A `Layout`
is an order of these axes, outermost first, and which of the two bytes is the high one. The
order of ``.rdo`` files is documented, ``f r Y y X x b``; that of ``.rds`` files is not.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import LayoutError, RawFileError
from .codec import reorder

__all__ = ["AXES", "FRAME_BYTES", "Layout", "reorder_bytes"]

#: The axes in the order of ``.rdo``, and their lengths (0: the number of frames).
AXES = "frYyXxb"
LENGTHS = {"f": 0, "r": 2, "Y": 2, "y": 128, "X": 2, "x": 128, "b": 2}
#: Bytes of a frame: two reads of 256 x 256 words of 16 bits.
FRAME_BYTES = 2 * 256 * 256 * 2

_HIGH_PLANE = (
    1 if sys.byteorder == "little" else 0
)  # where a word of this machine has its high byte
_TEXT = re.compile(r"(?P<order>[^,]*?)(?:,\s*(?P<byte>high|low) byte first)?")


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

    Attributes
    ----------
    axes : str
        The seven letters without blanks.
    RDO : Layout
        The documented order of ``.rdo`` files; their byte order is not stated anywhere.

    Raises
    ------
    LayoutError
        If `order` is not an order of the seven axes.
    """

    axes: str
    high_first: bool = True

    RDO: ClassVar[Layout]
    _places: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __init__(self, order: str, high_first: bool = True) -> None:
        match = _TEXT.fullmatch(str(order).strip())
        axes = "".join(match["order"].split()) if match else str(order)
        if sorted(axes) != sorted(AXES):
            msg = (
                f"{order!r} is not a word order: write each of the axes f r Y y X x b once, "
                "outermost first, as 'f r b Y y X x'"
            )
            raise LayoutError(msg)
        if match and match["byte"]:
            high_first = match["byte"] == "high"
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "high_first", bool(high_first))
        object.__setattr__(self, "_places", tuple(axes.index(a) for a in AXES))

    def __str__(self) -> str:
        return f"{' '.join(self.axes)}, {'high' if self.high_first else 'low'} byte first"

    def __repr__(self) -> str:
        return f"Layout({' '.join(self.axes)!r}, high_first={self.high_first})"

    @property
    def frames_together(self) -> bool:
        """Whether each frame is one piece of the file, so that a cut file has whole frames."""
        return self.axes[0] == "f"

    def bytes_of(self, data: Any, n_frames: int) -> NDArray[np.uint8]:
        """View the bytes of a file as an array with the axes of ``.rdo``, without copying.

        Parameters
        ----------
        data : bytes-like or array of uint8
            Whole content of a (decompressed) file.
        n_frames : int

        Returns
        -------
        array of uint8, shape (n_frames, 2, 2, 128, 2, 128, 2)
            Axes f r Y y X x b; along b in the file's own order.

        Raises
        ------
        RawFileError
            If `data` does not hold exactly `n_frames` frames.
        """
        flat = np.frombuffer(data, np.uint8)
        if flat.size != n_frames * FRAME_BYTES:
            msg = (
                f"{flat.size} bytes are not {n_frames} frames: a frame has {FRAME_BYTES} bytes, "
                "so give the whole file and its number of frames"
            )
            raise RawFileError(msg)
        shape = tuple(LENGTHS[a] or n_frames for a in self.axes)
        return flat.reshape(shape).transpose(self._places)

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
        content = self.bytes_of(data, n_frames)
        frames = np.empty((n_frames, 2, 256, 256), np.uint16)
        self._copy(frames, content, decoding=True)
        return frames

    def decode_frame(self, data: Any, n_frames: int, i: int) -> NDArray[np.uint16]:
        """Return one frame, shape (2, 256, 256), without decoding the others; see `decode`."""
        frame = np.empty((1, 2, 256, 256), np.uint16)
        self._copy(frame, self.bytes_of(data, n_frames)[i : i + 1], decoding=True)
        return frame[0]

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
        out = np.empty(frames.shape[0] * FRAME_BYTES, np.uint8)
        self._copy(np.ascontiguousarray(frames), self.bytes_of(out, len(frames)), decoding=False)
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

    Words are not looked at, so which byte is high plays no part.
    """
    out = np.empty(n_frames * FRAME_BYTES, np.uint8)
    old, new = source.bytes_of(data, n_frames), target.bytes_of(out, n_frames)
    if source.axes[-1] == target.axes[-1] == "b":
        reorder(new.view(np.uint16)[..., 0], old.view(np.uint16)[..., 0])
    else:
        for side in (0, 1):
            reorder(new[..., side], old[..., side])
    return out


Layout.RDO = Layout("f r Y y X x b")
