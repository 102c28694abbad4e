"""Where pixels saturate: the limit of each, seen in stars, and what r1 foretells of r2.

The limit is a raw value, the same in both reads (seed 000: a star saturated in both leaves a
dark hole in r2 - r1). Darks and twilights stay far below it; a scan with bright stars shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..array.readout import QUADRANT
from .flags import FLAG_TYPE, Flag

__all__ = ["DIGITAL_LIMIT", "lost_light", "saturation_flags", "seen_limits"]

#: The highest value of a word.
DIGITAL_LIMIT = 65535
# What r1 foretells must be missed by so many standard deviations and by this share. Chosen.
_SIGMA, _SHARE = 6.0, 0.1
# r2 - r1 within so many noises of nothing: read 1 is full as well.
_NOTHING = 5.0
# A limit measured is approached to within this share of the well, since it is soft and noisy.
_NEAR = 0.01
# A pixel's own limit is believed within this share of the well of its quadrant's.
_OWN = 0.1
# Wells of an array are alike within this share. A star leaves so many pixels or more that lack
# light at its well, most of all that do; hits in read 1 leave few, at any level. Chosen.
_ALIKE, _FEWEST = 0.2, 5
# A frame in which so many pixels lack light was read out wrong, or its shutter was half closed.
_TOO_MANY = 0.2


def lost_light(
    signal1: NDArray[Any], signal: NDArray[Any], share1: NDArray[Any], noise1: NDArray[Any],
    gain: float,
) -> NDArray[np.bool_]:  # fmt: skip
    """Say in which pixels r2 - r1 lacks light that read 1 foretells.

    Parameters
    ----------
    signal1, signal : array, shape (256, 256)
        Read 1 and r2 - r1 above the dark, DN.
    share1, noise1 : array, shape (256, 256)
        Read 1's share of the light, and its noise in DN.
    gain : float
        Electrons a DN.
    """
    foretold = signal1 / share1
    doubt = np.sqrt(noise1**2 + np.maximum(signal1, 0) / gain) / share1
    lost: NDArray[np.bool_] = foretold - signal > np.maximum(_SIGMA * doubt, _SHARE * foretold)
    return lost


def saturation_flags(
    both: NDArray[np.uint16], limit: NDArray[Any], lost: NDArray[np.bool_], noise: NDArray[Any]
) -> NDArray[Any]:
    """Return the flags of saturation of a frame, shape (256, 256).

    Parameters
    ----------
    both : array of uint16, shape (2, 256, 256)
    limit : array, shape (256, 256)
        Raw value from which on a pixel is saturated.
    lost : array of bool
        See `lost_light`.
    noise : array
        Of r2 - r1, DN.
    """
    full2 = lost | (both[1] >= limit)
    nothing = both[1].astype(np.int32) - both[0] < _NOTHING * noise
    full1 = (both[0] >= limit) | (lost & nothing)
    flags = np.zeros(full2.shape, FLAG_TYPE)
    flags[full2 | full1] |= np.uint8(Flag.SATURATED_R2)
    flags[full1] |= np.uint8(Flag.SATURATED_R1)
    return flags


def seen_limits(
    frames: Iterable[tuple[NDArray[np.uint16], NDArray[np.bool_]]], no_light: NDArray[Any]
) -> NDArray[np.float32]:
    """Measure limits in frames with bright stars.

    Parameters
    ----------
    frames : iterable of (array, array)
        Read 2 and where it lacks light, (256, 256) each.
    no_light : array, shape (256, 256)
        Read 1 without light, DN.

    Returns
    -------
    array of float32, shape (256, 256)
        Raw DN: of a pixel itself where a star has filled it; else of the median well of its
        quadrant; else of that of the other quadrants; else the highest value a word can have.
    """
    lowest = np.full((SIZE, SIZE), np.nan)
    for read2, lost in frames:
        if lost.mean() < _TOO_MANY:
            lowest[lost] = np.fmin(lowest[lost], read2[lost])
    quadrants = [
        (slice(y, y + QUADRANT), slice(x, x + QUADRANT))
        for y in (0, QUADRANT)
        for x in (0, QUADRANT)
    ]
    empty = [float(np.median(no_light[part])) for part in quadrants]
    own = np.empty_like(lowest)
    for part, dark in zip(quadrants, empty, strict=True):
        own[part] = lowest[part] - dark
    known = own[np.isfinite(own)]
    usual = np.median(known) if known.size else np.nan
    alike = np.abs(own - usual) < _ALIKE * usual
    if np.count_nonzero(alike) < max(_FEWEST, known.size / 2):
        return np.full((SIZE, SIZE), DIGITAL_LIMIT, np.float32)
    wells = [
        float(np.median(own[part][alike[part]])) if alike[part].any() else np.nan
        for part in quadrants
    ]
    limit = np.empty((SIZE, SIZE), np.float32)
    for part, dark, seen in zip(quadrants, empty, wells, strict=True):
        well = float(np.nanmedian(wells)) if np.isnan(seen) else seen
        # a value of its own may be a hit, or of a star that moved: within reason only
        near = np.abs(own[part] - well) < _OWN * well
        limit[part] = np.where(near, own[part], well) + dark - _NEAR * well
    return limit
