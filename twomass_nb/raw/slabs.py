"""How a file is decoded while it is read: slab by slab, straight into the frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .codec import reorder
from .differences import undo
from .inflate import pour
from .layout import AXES, LENGTHS, Layout

__all__ = ["decode_file"]

# Bytes of a slab: what is inflated still is in the cache of the core that puts it in place, and
# the handing over of slabs costs nothing beside the work on them.
_SLAB = 1 << 20


def decode_file(
    path: Path, layout: Layout, n_frames: int, hashed: bool = False
) -> tuple[NDArray[np.uint16], str] | None:
    """Return the frames of a whole, ordinary file; nothing else of its size is in memory.

    Parameters
    ----------
    path : Path
    layout : Layout
    n_frames : int
        How many frames the file is said to hold; one with more or fewer is not decoded.
    hashed : bool, optional
        Whether to hash the file too.

    Returns
    -------
    frames : array of uint16, shape (n_frames, 2, 256, 256)
    digest : str
        Empty unless `hashed`.

    None for both if the file is not just that: cut, damaged, of another length, or many gzip
    members long. `read_content` deals with those.
    """
    frames = np.empty((n_frames, 2, 256, 256), np.uint16)
    slabs = list(_slabs(layout, n_frames))
    whole: dict[int, NDArray[Any]] = {}
    for (first, last, _), _ in slabs:
        if first not in whole:
            whole[first] = _in_file_order(frames[first:last], layout)

    def place(where: tuple[int, int, tuple[Any, ...]], raw: bytes) -> None:
        first, _, index = where
        target = whole[first][index]
        split = layout.axes.find("b") - len(index) + 1  # axis b of the slab
        if layout.axes[-1] == "b":
            reorder(target, np.frombuffer(raw, _word(layout)).reshape(target.shape))
            return
        source = np.frombuffer(raw, np.uint8).reshape(target.shape)
        if split < 0 or target.shape[split] == 1:
            reorder(target, source)
            return
        for side in (0, 1):  # whole words lie apart: one byte of all, then the other
            half = (slice(None),) * split + (side,)
            reorder(target[half], source[half])

    digest = pour(path, slabs, place, hashed)
    if digest is None:
        return None
    undo(frames, layout.difference, layout.block)
    return frames, digest


def _word(layout: Layout) -> str:
    return ">u2" if layout.high_first else "<u2"


def _in_file_order(frames: NDArray[np.uint16], layout: Layout) -> NDArray[Any]:
    """View the frames of a block with the axes of the file, outermost first.

    As bytes, along b in the file's order; as words where b is innermost.
    """
    places = [AXES.index(a) for a in layout.axes]
    shape = (len(frames), 2, 2, 128, 2, 128)
    if layout.axes[-1] == "b":
        return frames.reshape(shape).transpose(places[:-1])
    planes = frames.view(np.uint8).reshape(*shape, 2)
    if np.dtype(_word(layout)) != np.dtype(np.uint16):
        planes = planes[..., ::-1]
    return planes.transpose(places)


def _slabs(layout: Layout, n_frames: int) -> Iterator[tuple[tuple[int, int, tuple[Any, ...]], int]]:
    """Yield the slabs of a file in its order, and their bytes.

    A slab is named by the first frame of its block, the frame after its last, and an index into
    the block as `_in_file_order` shows it: numbers, then a range of the next axis.
    """
    block = min(layout.block or n_frames, n_frames)
    for first in range(0, n_frames, block):
        last = min(first + block, n_frames)
        lengths = LENGTHS | {"f": last - first}
        axes = layout.axes.removesuffix("b")
        item = 2 if axes != layout.axes else 1
        shape = [lengths[a] for a in axes]
        split = next(k for k in range(len(shape)) if item * prod(shape[k + 1 :]) <= _SLAB)
        step = item * prod(shape[split + 1 :])
        many = max(1, min(_SLAB // step, shape[split]))
        for outer in product(*(range(length) for length in shape[:split])):
            for at in range(0, shape[split], many):
                size = min(many, shape[split] - at)
                yield (first, last, (*outer, slice(at, at + size))), size * step
