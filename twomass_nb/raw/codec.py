"""How to copy between two memory orders of the same array quickly: block by block, in cache."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["reorder"]

_LINE = 64  # bytes a cache moves at a time: the shortest run worth reading or writing
_LEAST_BLOCK = 1 << 15  # elements: fewer would cost more in calls than in copying
_SCRATCH = 1 << 21  # blocks up to this many bytes are gathered first: their strides collide less


def reorder(dst: NDArray[Any], src: NDArray[Any]) -> None:
    """Copy `src` into `dst`, two views of one shape whose axes lie differently in memory.

    A plain assignment walks along `dst` and, when `src` lies across, uses one byte of each
    cache line it fetches. Here the copy is cut into blocks that hold whole lines of both.

    Parameters
    ----------
    dst, src : array
        Of the same shape; the dtypes may differ in byte order.
    """
    run = _axes_of_a_run(src) | _axes_of_a_run(dst)
    inner = int(np.argmin([_stride(dst, k) for k in range(dst.ndim)]))
    if int(np.argmin([_stride(src, k) for k in range(src.ndim)])) == inner:
        dst[...] = src  # both run along the same axis: nothing to gain
        return
    size = int(np.prod([dst.shape[k] for k in run]))
    for k in sorted(set(range(dst.ndim)) - run, key=lambda k: _stride(src, k)):
        if size >= _LEAST_BLOCK:
            break
        run.add(k)
        size *= dst.shape[k]
    loop = [k for k in range(dst.ndim) if k not in run]
    scratch: NDArray[Any] | None = None
    for where in product(*(range(dst.shape[k]) for k in loop)):
        index: list[Any] = [slice(None)] * dst.ndim
        for k, i in zip(loop, where, strict=True):
            index[k] = i
        block = src[tuple(index)]
        if block.nbytes <= _SCRATCH:
            if scratch is None:
                scratch = np.empty_like(block)  # keeps the order of `src`, without its gaps
            scratch[...] = block
            block = scratch
        dst[tuple(index)] = block


def _stride(array: NDArray[Any], axis: int) -> int:
    """Bytes from one element to the next; an axis of length 1 has no next."""
    return abs(array.strides[axis]) if array.shape[axis] > 1 else 1 << 62


def _axes_of_a_run(array: NDArray[Any]) -> set[int]:
    """Return the innermost axes of an array that together span a cache line or more."""
    axes: set[int] = set()
    length = array.itemsize
    for axis in sorted(range(array.ndim), key=lambda k: _stride(array, k)):
        if length >= _LINE:
            break
        axes.add(axis)
        length *= array.shape[axis]
    return axes
