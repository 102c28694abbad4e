"""Which pixels of two images are the same place on the sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..errors import AtlasError

__all__ = ["Pair", "paired"]

#: Grids are the same if no place is further off than this, pixels: a tenth of what is asked of
#: the positions of stars.
_SAME = 0.01
_LEAST = 64  # pixels a side that are worth comparing


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images cut to the pixels they share.

    Attributes
    ----------
    ours, real : array, shape (rows, columns), float64
        DN; NaN where there is nothing, in either or both.
    error : array or None
        Standard deviation of each pixel of ours, DN, if ours has that plane.
    origin : (int, int)
        x and y of the first shared pixel in the real image.
    """

    ours: NDArray[np.float64]
    real: NDArray[np.float64]
    error: NDArray[np.float64] | None
    origin: tuple[int, int]

    @property
    def good(self) -> NDArray[np.bool_]:
        """Pixels that both have."""
        return np.isfinite(self.ours) & np.isfinite(self.real)


def paired(ours: AtlasImage, real: AtlasImage) -> Pair:
    """Return two images of one band cut to the pixels that both have.

    Nothing is resampled: that would blur one of the two.

    Raises
    ------
    AtlasError
        If they are of different bands, share too little sky, or their grids differ.
    """
    if ours.band != real.band:
        msg = f"{ours!r} is band {ours.band}, {real!r} band {real.band}: compare images of one band"
        raise AtlasError(msg)
    dx, dy = _steps(ours, real)
    (a, b), (c, d) = _shared(ours, real, dx, dy, axis=0), _shared(ours, real, dx, dy, axis=1)
    error: Any = getattr(ours, "uncertainty", None)
    if error is not None:
        error = np.asarray(error, float)[a, c]
    start = b.start, d.start
    return Pair(
        np.asarray(ours.data[a, c], float), np.asarray(real.data[b, d], float), error,
        (int(start[1]), int(start[0])),
    )  # fmt: skip


def _steps(ours: AtlasImage, real: AtlasImage) -> tuple[int, int]:
    """Return by how many pixels ours lies to the right of and above the real one."""
    rows, columns = real.data.shape
    x, y = (g.ravel() for g in np.meshgrid(np.linspace(0, columns, 3), np.linspace(0, rows, 3)))
    there = np.stack(ours.wcs.all_world2pix(*real.wcs.all_pix2world(x, y, 0), 0))
    moved = there - [x, y]
    whole = np.rint(np.median(moved, axis=1))
    off = np.abs(moved - whole[:, None]).max()
    if not off <= _SAME:  # NaN where one is on the other side of the sky
        apart = f"up to {off:.3g} pixels apart" if np.isfinite(off) else "of another sky"
        msg = (
            f"the pixels of {ours!r} are {apart} from those of {real!r}: make ours on the grid of "
            "the real one, stack(scan, calibrator, like=real)"
        )
        raise AtlasError(msg)
    return int(whole[0]), int(whole[1])


def _shared(ours: AtlasImage, real: AtlasImage, dx: int, dy: int, axis: int) -> tuple[slice, slice]:
    """Return what both have of an axis, as slices of ours and of the real one."""
    step = (dy, dx)[axis]
    low = max(0, -step)
    high = min(real.data.shape[axis], ours.data.shape[axis] - step)
    if high - low < _LEAST:
        msg = f"{ours!r} and {real!r} share less than {_LEAST} pixels a side: compare the same sky"
        raise AtlasError(msg)
    return slice(low + step, high + step), slice(low, high)
