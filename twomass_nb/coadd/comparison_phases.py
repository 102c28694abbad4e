"""Where in raw pixels the stars of a coadd fell, averaged over the frames that saw them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["raw_phases"]


def raw_phases(
    ra: NDArray[np.float64], dec: NDArray[np.float64], frames: range, wcs: Callable[[int], WCS]
) -> NDArray[np.float64]:
    """Return the mean cosine and sine of once and twice the phase, over the frames of each star.

    Whatever the response within a pixel, to this order its mean over the frames is a sum of
    these. A step of half a pixel from frame to frame makes the first two vanish in-scan.

    Parameters
    ----------
    ra, dec : array, shape (n,)
        Degrees.
    frames : range
        Frames on the coadd.
    wcs : callable
        Gives the WCS of a frame.

    Returns
    -------
    array, shape (n, 2, 4)
        Cross-scan (x) and in-scan (y).
    """
    total, count = np.zeros((len(ra), 2, 4)), np.zeros(len(ra))
    for i in frames:
        place = np.stack(wcs(i).all_world2pix(ra, dec, 0), axis=-1)
        on = ((place > -0.5) & (place < SIZE - 0.5)).all(axis=1)
        angle = 2 * np.pi * place[on]
        terms = [np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
        total[on] += np.stack(terms, axis=-1)
        count[on] += 1
    return total / np.maximum(count, 1)[:, None, None]
