"""What only one of the frames on a place shows, and the place does not: solo transients.

Cosmic rays, pixels hot for a moment, trails and glitches are in one frame of the six or seven.
Each value is compared with the lower median of all frames there, which up to two bad ones of
five, or one of three, cannot move. It stands out if its squared difference is above the sum of

- `SIGMA` squared times its variance,
- `RANGE` squared times the square of the range of medians within 2 arcsec. A raw pixel is 2 arcsec
  wide: where it falls on a star differs from frame to frame, and so does what it shows, as much as
  the star itself changes over such a distance. Seeing, small errors of position and the noise of
  the medians are in that too.

So the threshold rises where stars are steep, and cores of bright stars are never cut; a hit on one
that is not larger than the star's own steepness stays. DrizzlePack's step against cosmic rays has
the steepness of the median for the same end, to the next pixel; ours differ by more than that.

How much can be said depends on the number of frames:

- one: nothing, and nothing is masked;
- two: the lower median is the fainter of both, so only what is too bright is masked, as nearly
  all that goes wrong is. (Of a glitch that is too dark it is the good value that goes.)
- three or more: what is too bright and what is too dark.

Persistence is not solo: pixels that a bright star filled see the same place one frame later, in
each of the frames the star is on, so the afterimage is at the same place in all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import needs
from .streaks import Streak, in_layer

__all__ = ["RANGE", "SIGMA", "excess", "mask", "reference", "solo"]

#: Chosen. Of noise alone one pixel or so of a whole image, seven frames deep, is above it.
SIGMA = 5.0
#: Chosen. In stars of FWHM 2.3 to 2.8 arcsec, without noise and at random places on the pixels, no
#: frame is off by more than 1.16 times the range, down to two frames.
RANGE = 1.25
_REACH = 5  # pixels across which the range is taken
_ROWS = 32  # of a block: all its layers are to fit into a processor's own memory

Plane = NDArray[np.float32]


def reference(layers: Plane) -> Plane:
    """Return the lower median of layers.

    Parameters
    ----------
    layers : array, shape (n, rows, columns)
        NaN where there is nothing.

    Returns
    -------
    array, shape (rows, columns)
        The middle value, of an even number the lower one of both: hits are bright. NaN where
        there is none.
    """
    median = np.empty(layers.shape[1:], np.float32)
    for start in range(0, len(median), _ROWS):
        rows = slice(start, start + _ROWS)
        median[rows] = _lower_median(layers[:, rows])
    return median


def _lower_median(layers: Plane) -> Plane:
    """Sort the lower half of the values, each step for all pixels at once."""
    depth = np.isfinite(layers).sum(axis=0, dtype=np.uint8)
    values = [np.where(np.isfinite(layer), layer, np.float32(np.inf)) for layer in layers]
    other = np.empty_like(values[0])
    for k in range((len(values) + 1) // 2):
        for j in range(k + 1, len(values)):
            np.maximum(values[k], values[j], out=other)
            np.minimum(values[k], values[j], out=values[k])
            values[j], other = other, values[j]
    median = values[0]
    for k in range(1, (len(values) + 1) // 2):
        np.copyto(median, values[k], where=depth > 2 * k)
    median[depth == 0] = np.nan
    return median


def solo(layers: Plane, variance: Plane) -> NDArray[np.bool_]:
    """Return the pixels in which one frame stands out of the others, and those around them.

    Parameters
    ----------
    layers : array, shape (n, rows, columns)
        Frames on the coadd's grid of 1 arcsec, their backgrounds matched; those that do not
        overlap may share a layer. NaN where there is nothing.
    variance : array, shape (n, rows, columns)
        Of the noise of each value, sky and photons.

    Returns
    -------
    array of bool, shape (n, rows, columns)
        True: leave it out. Grown by a pixel to each side, since a raw pixel's light lies on
        three by three pixels of the coadd.
    """
    return _standing_out(layers, variance, reference(layers))


def _standing_out(layers: Plane, variance: Plane, median: Plane) -> NDArray[np.bool_]:
    steep = np.square(np.float32(RANGE) * _range(median))
    noise = np.float32(SIGMA**2)
    out = np.empty(layers.shape, np.bool_)
    for layer, variance_, grown in zip(layers, variance, out, strict=True):
        off = layer - median
        off *= off
        _grow(off > variance_ * noise + steep, grown)
    return out


def _range(median: Plane) -> Plane:
    """Return by how much the medians around each pixel differ; infinite where there are none."""
    needs("scipy", "reduce")
    from scipy.ndimage import maximum_filter, minimum_filter

    empty = np.isnan(median)
    high = maximum_filter(np.where(empty, -np.inf, median), _REACH, mode="nearest")
    low = minimum_filter(np.where(empty, np.inf, median), _REACH, mode="nearest")
    return np.asarray(high - low, np.float32)


def _grow(found: NDArray[np.bool_], out: NDArray[np.bool_]) -> None:
    """Add the pixels beside and at the corners of those found."""
    wide = found.copy()
    wide[:, 1:] |= found[:, :-1]
    wide[:, :-1] |= found[:, 1:]
    out[:] = wide
    out[1:] |= wide[:-1]
    out[:-1] |= wide[1:]


def excess(layer: Plane, variance: Plane, median: Plane) -> Plane:
    """Return how far each value of a layer is above the median, in standard deviations."""
    return np.asarray((layer - median) / np.sqrt(variance), np.float32)


def mask(layers: Plane, variance: Plane) -> tuple[NDArray[np.bool_], list[tuple[int, Streak]]]:
    """Return all that is to be left out, solo transients and whole streaks.

    Parameters
    ----------
    layers, variance : array, shape (n, rows, columns)
        See `solo`.

    Returns
    -------
    mask : array of bool, shape (n, rows, columns)
    streaks : list of (layer, Streak)
    """
    median = reference(layers)
    out = _standing_out(layers, variance, median)
    found: list[tuple[int, Streak]] = []
    for k, one in enumerate(out):
        for streak in in_layer(one.copy(), excess(layers[k], variance[k], median)):
            found.append((k, streak))
            one |= streak.mask(one.shape)
    return out, found
