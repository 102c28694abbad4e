"""The sky offset: what is left in frames of the dark sky itself, block by block of a scan.

"Additive sky illumination corrections are derived by creating [alpha-]trimmed averages for blocks
of at least 42 dark-subtracted, flat-fielded sky frames" (Explanatory Supplement, IV.2): a star
moves through the frames, so each pixel sees sky in most of them. The median of an offset is 0,
so that frames keep the level of their sky.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..errors import NotFoundError

__all__ = ["BLOCK_FRAMES", "SkyOffsets", "blocks_of", "sky_offsets"]

#: Frames of a block, at least.
BLOCK_FRAMES = 42
#: Share of the values left out at either end. The supplement's number is lost; chosen: stars
#: take fewer frames of a pixel than this even in crowded fields.
TRIM = 0.2


@dataclass(frozen=True)
class SkyOffsets:
    """Offsets of a scan; made by `Calibrator.sky_offsets`.

    Attributes
    ----------
    scan : str
        Which scan.
    band : {"j", "h", "k"}
    read : {"r1", "r2-r1"}
    blocks : tuple of (int, int)
        First frame of each block, and the one after its last.
    offset, error : array of float32, shape (blocks, 256, 256)
        DN; to be subtracted.
    simulated : bool
    """

    scan: str
    band: str
    read: str
    blocks: tuple[tuple[int, int], ...]
    offset: NDArray[np.float32]
    error: NDArray[np.float32]
    simulated: bool

    def block(self, i: int) -> int:
        """Return which block a frame is in.

        Raises
        ------
        NotFoundError
            If it is in none.
        """
        for k, (start, stop) in enumerate(self.blocks):
            if start <= i < stop:
                return k
        msg = f"there is no sky offset for frame {i}: they reach to {self.blocks[-1][1] - 1}"
        raise NotFoundError(msg)

    def __repr__(self) -> str:
        mark = ", SIMULATED" if self.simulated else ""
        sizes = sorted({stop - start for start, stop in self.blocks})
        return (
            f"<SkyOffsets of {self.scan} {self.band} {self.read}: {len(self.blocks)} blocks of "
            f"{'-'.join(map(str, sizes))} frames, rms {np.nanstd(self.offset):.2f} DN{mark}>"
        )


def blocks_of(n_frames: int) -> tuple[tuple[int, int], ...]:
    """Part the frames of a scan evenly into blocks of at least 42; a short scan is one block."""
    count = max(n_frames // BLOCK_FRAMES, 1)
    edges = [round(k * n_frames / count) for k in range(count + 1)]
    return tuple(pairwise(edges))


def sky_offsets(
    frame: Callable[[int], tuple[NDArray[np.float32], NDArray[np.bool_]]],
    blocks: tuple[tuple[int, int], ...],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return offsets and errors of blocks.

    Parameters
    ----------
    frame : callable
        Pixels and mask of a frame by its number, (256, 256) each.
    blocks : tuple of (int, int)
    """
    offsets = np.empty((len(blocks), SIZE, SIZE), np.float32)
    errors = np.empty_like(offsets)
    for k, (start, stop) in enumerate(blocks):
        stack = np.empty((stop - start, SIZE, SIZE), np.float32)
        for values, i in zip(stack, range(start, stop), strict=True):
            pixels, mask = frame(i)
            good = np.where(mask, np.nan, pixels)
            values[...] = pixels - np.nanmedian(good)
        offsets[k], errors[k] = _trimmed_mean(stack)
        offsets[k] -= np.nanmedian(offsets[k])
    return offsets, errors


def _trimmed_mean(stack: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean without either end, and its error from the winsorized variance (Tukey)."""
    n = len(stack)
    out = int(TRIM * n)
    stack.sort(axis=0)
    inner = stack[out : n - out]
    mean = inner.mean(axis=0)
    squares = ((inner - mean) ** 2).sum(axis=0)
    squares += out * ((inner[0] - mean) ** 2 + (inner[-1] - mean) ** 2)
    error = np.sqrt(squares / max(n - 1, 1) / n) / (1 - 2 * out / n)
    return mean, error.astype(np.float32)
