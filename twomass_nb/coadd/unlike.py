"""Which frames do not show the sky that the others show, and are to be left out whole.

A shutter that stayed closed, a readout that went wrong, frames out of order or given twice: none of
it stands out pixel by pixel where stars are steep, and it would take its share of every star's
light. So a frame is compared with the median of all that see the same places: in the middle of
their stars it must have much the same light, and its level must be near theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .resample import Image, Resampled
from .transients import reference

__all__ = ["unlike"]

# All chosen. Every so many rows are looked at: a star is wider.
_STRIDE = 4
# A star's light in a pixel is what it has more than those so many columns to either side.
_APART = 6
# Pixels count where the median has so many sigmas of it; fewer pixels say nothing.
_SIGMA, _LEAST = 8.0, 30
# Light of a frame's stars, relative to the others': a cloud that dims by half is left out too.
_LIGHT = (0.5, 2.0)
# How far off the level of a frame may be, as a share of the sky; nebulae are not in that.
_OFF = 0.5
# Of two frames nobody can say which one is wrong.
_FEWEST = 3


def unlike(frames: Sequence[Resampled], offsets: NDArray[np.float64]) -> dict[int, str]:
    """Return the frames that are not like the others, and why.

    Parameters
    ----------
    frames : sequence of Resampled
        On one image.
    offsets : array, shape (n,)
        See `twomass_nb.coadd.background.match_backgrounds`.

    Returns
    -------
    dict
        Reasons by frame number.
    """
    found: dict[int, str] = {}
    thinned = [_Thinned(one, offset) for one, offset in zip(frames, offsets, strict=True)]
    levels = [float(np.nanmedian(thin.values)) for thin in thinned if thin.known]
    if len(levels) < _FEWEST:
        return found
    usual, level = float(np.median(offsets)), float(np.median(levels))
    for one, thin, offset in zip(frames, thinned, offsets, strict=True):
        off, light = float(offset) - usual, _light(thin, thinned)
        if level > 0 and abs(off) > _OFF * level:
            found[one.frame] = f"its level is off by {off:+.0f} DN of {level:.0f}"
        elif not ((light >= _LIGHT[0] and light <= _LIGHT[1]) or np.isnan(light)):
            found[one.frame] = f"it has {max(light, 0):.0%} of the light of the others' stars"
    return found


class _Thinned:
    """Every fourth row of a frame on the image."""

    def __init__(self, one: Resampled, offset: float) -> None:
        start = -one.first % _STRIDE
        self.first = (one.first + start) // _STRIDE
        self.values: Image = one.values[start::_STRIDE] - np.float32(offset)
        self.variance = one.variance[start::_STRIDE]
        self.known = bool(np.isfinite(self.values).any())

    def meets(self, first: int, n: int) -> bool:
        """Tell whether this frame has some of `n` rows of the image, from `first` on."""
        return self.first < first + n and first < self.first + len(self.values)

    def rows(self, first: int, n: int) -> Image:
        """Return `n` rows of the image, from `first` on; NaN where this frame has none."""
        out = np.full((n, self.values.shape[1]), np.nan, np.float32)
        low, high = max(self.first, first), min(self.first + len(self.values), first + n)
        out[low - first : high - first] = self.values[low - self.first : high - self.first]
        return out


def _light(thin: _Thinned, others: Sequence[_Thinned]) -> float:
    """Return the light of a frame where the median has stars, relative to it; NaN if unknown."""
    if not thin.known:
        return float("nan")
    first, n = thin.first, len(thin.values)
    layers = np.stack([other.rows(first, n) for other in others if other.meets(first, n)])
    median = reference(layers)
    median[np.isfinite(layers).sum(axis=0) < _FEWEST] = np.nan
    above, own = _narrow(median), _narrow(thin.values)
    noise = float(np.sqrt(np.nanmedian(thin.variance)))
    with np.errstate(invalid="ignore"):
        bright = (above > _SIGMA * noise) & np.isfinite(own)
    if np.count_nonzero(bright) < _LEAST:
        return float("nan")
    return float(np.median(own[bright] / above[bright]))


def _narrow(picture: Image) -> Image:
    """Return what a pixel has more than the mean of those a few columns to either side."""
    out = np.full_like(picture, np.nan)
    middle = slice(_APART, -_APART)
    out[:, middle] = picture[:, middle]
    out[:, middle] -= (picture[:, : -2 * _APART] + picture[:, 2 * _APART :]) / 2
    return out
