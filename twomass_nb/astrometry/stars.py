"""The stars of a scan's frames that positions are measured with: which of all that are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..sources import SourceFlag, find

if TYPE_CHECKING:
    from ..calibrate import Calibrator
    from ..calibrate.science import Science
    from ..calibrate.sky import SkyOffsets
    from ..raw import RawScan

__all__ = ["Stars", "measure_stars"]

Floats = NDArray[np.float64]

# Chosen. About how wide stars are, pixels; the largest error of a place and the least distance to
# the first and the last row, pixels; how many stars of a frame, the brightest.
_FWHM, _LARGEST_ERROR, _RIM, _MOST = 1.5, 0.25, 2, 120
# How many frames are looked at together, and rows from one to the next in the picture of them.
_TOGETHER, _APART = 16, SIZE + 8
# A star without one pixel keeps its place, and its error says how well.
_UNFIT = ~int(SourceFlag.MASKED)


class Stars(NamedTuple):
    """Stars on frames; arrays of shape (n,).

    Attributes
    ----------
    frame : array of int
        Which of the frames measured, counted from 0 among those.
    x, y, error : array
        Pixels, counted from 0, and the error of either.
    flux : array
        DN.
    """

    frame: NDArray[np.int64]
    x: Floats
    y: Floats
    error: Floats
    flux: Floats

    def take(self, which: NDArray[np.generic]) -> Stars:
        """Return some of them."""
        return Stars(*(column[which] for column in self))


def measure_stars(
    scan: RawScan, calibrator: Calibrator, frames: NDArray[np.int64], sky: SkyOffsets | None
) -> tuple[Stars, float]:
    """Find and measure the stars of some frames.

    Returns
    -------
    Stars
    float
        FWHM of the stars, pixels.
    """
    # one of each to begin with: frames may show nothing at all
    found, widths = [np.zeros((5, 0))], []
    for first in range(0, len(frames), _TOGETHER):
        some = frames[first : first + _TOGETHER]
        picture, noise = _laid_out([calibrator.science(scan, int(i), sky) for i in some])
        table = find(picture, noise=noise, fwhm=_FWHM)
        columns = [np.asarray(table[name]) for name in ("x", "y", "place_error", "flux")]
        stars = np.array([np.zeros(len(table)), *columns])
        stars[0], stars[2] = np.divmod(stars[2], _APART)
        clean = ((np.asarray(table["flags"]) & _UNFIT) == 0) & (stars[3] < _LARGEST_ERROR)
        clean &= (stars[2] > _RIM) & (stars[2] < SIZE - 1 - _RIM)
        stars = stars[:, clean]
        # the brightest are first
        chosen = [np.flatnonzero(stars[0] == k)[:_MOST] for k in range(len(some))]
        found += [stars[:, which] + [[first], [0], [0], [0], [0]] for which in chosen]
        widths += [table.meta["fwhm"]] * int(clean.sum())
    frame, *rest = np.concatenate(found, axis=1)
    return Stars(frame.astype(np.int64), *rest), float(np.median(widths)) if widths else _FWHM


def _laid_out(frames: Sequence[Science]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one picture of several frames, empty rows between them, and its noise.

    So the spread of stars is measured on all of them: a frame alone may have too few.
    """
    picture = np.full((len(frames), _APART, SIZE), np.nan, np.float32)
    noise = np.full_like(picture, np.nan)
    for k, one in enumerate(frames):
        good = ~one.mask & np.isfinite(one.pixels)
        if good.any():
            picture[k, :SIZE] = np.where(good, one.pixels - np.median(one.pixels[good]), np.nan)
            noise[k, :SIZE] = np.sqrt(one.variance)
    return picture.reshape(-1, SIZE), noise.reshape(-1, SIZE)
