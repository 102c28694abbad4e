"""How sensitive a pixel is at each place within it, and what of a star's light that leaves.

NICMOS pixels are insensitive at their edges and less sensitive in their middle (seed 000). No
source we have gives sizes: `EDGE`, `MIDDLE` and `DIP` are chosen, and the simulator uses the same.
The response is taken as separable: that along the column times that along the row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DIP",
    "EDGE",
    "MIDDLE",
    "PLACES",
    "RESPONSES",
    "harmonics",
    "response",
    "star_pixels",
    "star_response",
]

#: Chosen: share of a pixel's width that is blind at each edge, width of its weaker middle, and
#: the response there relative to the rest.
EDGE, MIDDLE, DIP = 0.04, 0.24, 0.85
#: Places across a pixel, from -0.5 to 0.5, and the response between them; its mean is 1.
PLACES = np.array([EDGE - 0.5, -MIDDLE / 2, MIDDLE / 2, 0.5 - EDGE])
RESPONSES = np.array([1.0, DIP, 1.0]) / (np.array([1.0, DIP, 1.0]) @ np.diff(PLACES))

# Of a star wider than .6 pixels nothing is left of higher ones.
_HARMONICS = 8
_SIGMA = 1 / np.sqrt(8 * np.log(2))  # of a FWHM of 1


def response(place: Any) -> NDArray[np.float64]:
    """Return the response of the pixels along one axis.

    Parameters
    ----------
    place : float or array
        Pixels; the middle of each pixel is a whole number.

    Returns
    -------
    array
        Relative, with a mean of 1 over a pixel.
    """
    within = np.asarray(place, float) - np.rint(place)
    steps = np.array([0.0, *RESPONSES, 0.0])
    return steps[np.searchsorted(PLACES, within, side="right")]


def harmonics(fwhm: float) -> NDArray[np.float64]:
    """Return how a star's signal depends on where within a pixel it is, along one axis.

    The signal of all pixels together repeats with every pixel and is even, so it is a series of
    cosines, ``1 + 2 * sum(c[k] * cos(2 * pi * k * place))``.

    Parameters
    ----------
    fwhm : float
        Width of the star, taken as a Gaussian, in pixels.

    Returns
    -------
    array, shape (9,)
        ``c``, with c[0] = 1.
    """
    k = np.arange(1, _HARMONICS + 1)[:, None]
    of_pixel = np.diff(np.sin(2 * np.pi * k * PLACES) / (2 * np.pi * k)) @ RESPONSES
    blur = np.exp(-2 * (np.pi * k[:, 0] * fwhm * _SIGMA) ** 2)
    return np.concatenate([[1.0], of_pixel * blur])


def star_response(along: Any, across: Any, fwhm: float) -> NDArray[np.float64]:
    """Return the signal of a star, all pixels together, relative to its mean over all places.

    Parameters
    ----------
    along, across : float or array
        Where its centre is, in pixels along the columns and along the rows.
    fwhm : float
        Width of the star, taken as a Gaussian, in pixels.
    """
    c = harmonics(fwhm)[1:]
    k = np.arange(1, c.size + 1)

    def signal(place: Any) -> Any:
        return 1 + 2 * np.cos(2 * np.pi * np.asarray(place, float)[..., None] * k) @ c

    return np.asarray(signal(along) * signal(across))


def star_pixels(along: float, across: float, fwhm: float, half: int) -> NDArray[np.float64]:
    """Return the signal of each pixel around a star, as a share of the star's light.

    Parameters
    ----------
    along, across : float
        Where its centre is, in pixels from the middle of the middle pixel.
    fwhm : float
        Width of the star, taken as a Gaussian, in pixels.
    half : int
        Pixels on each side of the middle one.

    Returns
    -------
    array, shape (2 * half + 1, 2 * half + 1)
        Axes along, across. Their sum is `star_response`.
    """
    edges = np.arange(-half, half + 1)[:, None] + PLACES
    scale = 1 / (fwhm * _SIGMA * math.sqrt(2))

    def shares(place: float) -> NDArray[np.float64]:
        below = 0.5 * np.array([math.erf(x) for x in ((edges - place) * scale).flat])
        return np.asarray(np.diff(below.reshape(edges.shape), axis=1) @ RESPONSES)

    return np.outer(shares(along), shares(across))
