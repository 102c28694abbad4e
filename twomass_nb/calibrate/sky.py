"""The sky offset: what is left in frames of the dark sky itself, block by block of a scan.

"Additive sky illumination corrections are derived by creating [alpha-]trimmed averages for blocks
of at least 42 dark-subtracted, flat-fielded sky frames" (Explanatory Supplement, IV.2): a star
moves through the frames, so each pixel sees sky in most of them. Frames with structure of their
own, as of a nebula, are no sky frames; see `darksky`. The median of an offset is 0, so that
frames keep the level of their sky.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..errors import CalibrationError, NotFoundError, warn
from .darksky import background_error, dark_frames, own_structure
from .leftout import LeftOut
from .shutter import BLOCK, block_medians

__all__ = ["BLOCK_FRAMES", "SkyOffsets", "blocks_of", "chosen_frames", "sky_offsets"]

#: Frames of a block, at least.
BLOCK_FRAMES = 42
#: Share of the values left out at either end. The supplement's number is lost; chosen: stars
#: take fewer frames of a pixel than this even in crowded fields.
TRIM = 0.2
#: Times its error that the large-scale part of an offset must be, or it may be the sky's. Chosen.
_TOLD = 2.0
#: Error of the background that is worth a warning, in noises of a pixel of a frame: 0.3 times
#: the noise of a coadd's pixel, which is a quarter of it.
_WORTH_SAYING = 0.075

FrameOf = Callable[[int], tuple[NDArray[np.float32], NDArray[np.bool_]]]


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
        First frame of each block, and the one after its last: those it is to be subtracted from.
    frames : tuple of tuple of int
        The frames each block is the mean of: the nearest that show dark sky.
    left_out : tuple of LeftOut
        Frames with structure of their own.
    offset, error : array of float32, shape (blocks, 256, 256)
        DN; to be subtracted.
    levels : tuple of float
        Median level of the frames of each block, DN.
    background : tuple of bool
        Whether an offset has its large-scale part. If not, that could not be told from structure
        of the sky, and only what is finer than 32 pixels is in it.
    background_error : tuple of float
        By how much that part may be off for the sky's structure, DN, rms.
    simulated : bool
    """

    scan: str
    band: str
    read: str
    blocks: tuple[tuple[int, int], ...]
    frames: tuple[tuple[int, ...], ...]
    left_out: tuple[LeftOut, ...]
    offset: NDArray[np.float32]
    error: NDArray[np.float32]
    levels: tuple[float, ...]
    background: tuple[bool, ...]
    background_error: tuple[float, ...]
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
        sizes = sorted({len(frames) for frames in self.frames})
        total = self.blocks[-1][1]
        lost = self.background.count(False)
        without = f", {lost} without large-scale part" if lost else ""
        return (
            f"<SkyOffsets of {self.scan} {self.band} {self.read}: {len(self.blocks)} blocks of "
            f"{'-'.join(map(str, sizes))} frames, {total - len(self.left_out)} of {total} show "
            f"dark sky, rms {np.nanstd(self.offset):.2f} DN{without}{mark}>"
        )


def blocks_of(n_frames: int) -> tuple[tuple[int, int], ...]:
    """Part the frames of a scan evenly into blocks of at least 42; a short scan is one block."""
    count = max(n_frames // BLOCK_FRAMES, 1)
    edges = [round(k * n_frames / count) for k in range(count + 1)]
    return tuple(pairwise(edges))


def chosen_frames(
    blocks: tuple[tuple[int, int], ...], dark: NDArray[np.bool_]
) -> tuple[tuple[int, ...], ...]:
    """Return the frames to average for each block: its own that are dark, or the nearest 42."""
    numbers = [int(i) for i in np.flatnonzero(dark)]
    chosen = []
    for start, stop in blocks:
        away = sorted((max(start - i, i - stop + 1, 0), i) for i in numbers)
        inside = sum(distance == 0 for distance, _ in away)
        chosen.append(tuple(sorted(i for _, i in away[: max(inside, BLOCK_FRAMES)])))
    return tuple(chosen)


def sky_offsets(
    frame: FrameOf, n_frames: int, scan: str, band: str, read: str, simulated: bool
) -> SkyOffsets:
    """Measure the offsets of a scan; see `Calibrator.sky_offsets`.

    Parameters
    ----------
    frame : callable
        Pixels and mask of a frame by its number, (256, 256) each.
    n_frames : int
    scan, band, read, simulated
        See `SkyOffsets`.

    Raises
    ------
    CalibrationError
        If no frame has a pixel of use.

    Warns
    -----
    TwomassWarning
        If the sky's structure leaves the background of an offset uncertain.
    """
    levels, structure = _survey(frame, n_frames)
    of_use = np.isfinite(levels)
    if not of_use.any():
        msg = f"no frame of {scan} has a pixel of use: there is no sky in it to measure"
        raise CalibrationError(msg)
    dark = dark_frames(structure) & of_use
    blocks = blocks_of(n_frames)
    frames = chosen_frames(blocks, dark)
    offset = np.empty((len(blocks), SIZE, SIZE), np.float32)
    error = np.empty_like(offset)
    background, doubts, warned = [], [], False
    for k, chosen in enumerate(frames):
        offset[k], error[k] = _mean(frame, levels, chosen)
        doubt = background_error(structure[list(chosen)], n_frames)
        parts = block_medians(np.nan_to_num(offset[k])[None])[0]
        noise = float(np.nanmedian(error[k])) * len(chosen) ** 0.5
        doubtful = doubt > _WORTH_SAYING * noise
        known = not doubtful or bool(np.std(parts) >= _TOLD * doubt)
        if not known:
            offset[k] -= _smooth(parts)
        background.append(known)
        doubts.append(doubt)
        warned |= doubtful
    if warned:
        warn(_warning(scan, background, doubts))
    return SkyOffsets(
        scan, band, read, blocks, frames,
        tuple(LeftOut(scan, int(i), _why(structure[i], of_use[i])) for i in np.flatnonzero(~dark)),
        offset, error, tuple(float(np.median(levels[list(chosen)])) for chosen in frames),
        tuple(background), tuple(doubts), simulated,
    )  # fmt: skip


def _survey(frame: FrameOf, n_frames: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the level of each frame, NaN without a pixel of use, and its own structure."""
    levels = np.full(n_frames, np.nan, np.float32)
    parts = np.zeros((n_frames, SIZE // BLOCK, SIZE // BLOCK), np.float32)
    for i in range(n_frames):
        pixels, mask = frame(i)
        if not mask.all():
            levels[i] = np.nanmedian(np.where(mask, np.nan, pixels))
            parts[i] = block_medians(np.where(mask, levels[i], pixels)[None])[0]
    return levels, own_structure(parts)


def _mean(
    frame: FrameOf, levels: NDArray[np.float32], chosen: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the trimmed mean of frames less their levels, its median 0, and its error."""
    stack = np.empty((len(chosen), SIZE, SIZE), np.float32)
    for values, i in zip(stack, chosen, strict=True):
        np.subtract(frame(i)[0], levels[i], out=values)
    mean, error = _trimmed_mean(stack)
    return mean - np.nanmedian(mean), error


def _why(structure: float, of_use: bool) -> str:
    if not of_use:
        return "no pixel of use"
    return f"structure of its own in the background: {structure:.1f} DN rms"


def _smooth(parts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values of parts of the array, (8, 8), as a smooth image, (256, 256)."""
    centers = np.arange(len(parts)) * BLOCK + (BLOCK - 1) / 2
    between = np.stack([np.interp(np.arange(SIZE), centers, one) for one in np.eye(len(parts))])
    return np.asarray(between.T @ parts @ between, np.float32)


def _warning(scan: str, background: list[bool], doubts: list[float]) -> str:
    if all(background):
        return (
            f"the sky of {scan} has structure in too many frames: its sky offsets may be off by "
            f"{max(doubts):.1f} DN on scales of 32 pixels and more"
        )
    return (
        f"the frames of {scan} are too few, or too many show structure of the sky, to tell the "
        f"background of the array from it: {background.count(False)} of {len(background)} sky "
        "offsets have only what is finer than 32 pixels"
    )


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
