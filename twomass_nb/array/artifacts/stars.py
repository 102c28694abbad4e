"""Which stars of a frame stand alone, bright and not full: those that can tell shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["HALF", "Stamps", "lonely_stars"]

#: Pixels on each side of a star's brightest one.
HALF = 6
_MAD = 1.4826
_SURE = 25.0  # scatters of a pixel that the brightest one stands above the sky
_FULL = 12_000.0  # DN above which a pixel may be near to saturation
_RIVAL = 0.08  # of the star's peak: no other peak so high may be near


@dataclass(frozen=True)
class Stamps:
    """Small pictures of single stars.

    Attributes
    ----------
    pixels : array, shape (n, 13, 13)
        DN above what is around the star.
    frame, x, y : array of int, shape (n,)
        Frame, and the star's brightest pixel.
    noise : array, shape (n,)
        Scatter of the sky's pixels, DN.
    """

    pixels: NDArray[np.float64]
    frame: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    noise: NDArray[np.float64]


def lonely_stars(
    frames: NDArray[np.uint16], still: NDArray[np.float64], bad: NDArray[np.bool_]
) -> Stamps:
    """Cut out the stars that stand alone.

    Parameters
    ----------
    frames : array of uint16, shape (n, 2, 256, 256)
    still : array, shape (256, 256)
        What does not move in r2 - r1, taken off.
    bad : array of bool, shape (256, 256)
        Pixels that no star may have in its middle.
    """
    found = [_of_frame(frame, still, bad) for frame in frames]
    index = np.repeat(np.arange(len(found)), [len(one[0]) for one in found])
    pixels, x, y, noise = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Stamps(pixels, index, x, y, noise)


def _of_frame(
    frame: NDArray[np.uint16], still: NDArray[np.float64], bad: NDArray[np.bool_]
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    image = frame[1].astype(np.float32) - frame[0] - still
    sky = np.median(image)
    image = image - sky
    noise = _MAD * float(np.median(np.abs(image)))
    size = 2 * HALF + 1
    inner = image[HALF:-HALF, HALF:-HALF]
    windows = sliding_window_view(image, (size, size))
    near = sliding_window_view(image, (3, 3))[HALF - 1 : -HALF + 1, HALF - 1 : -HALF + 1]
    y, x = np.nonzero((inner > _SURE * noise) & (inner < _FULL) & (inner >= near.max((2, 3))))
    stamps = windows[y, x]
    touched = sliding_window_view(bad, (7, 7))[HALF - 3 : -HALF + 3, HALF - 3 : -HALF + 3]
    keep = _alone(stamps, noise) & ~touched[y, x].any((1, 2))
    stamps, y, x = stamps[keep], y[keep], x[keep]
    around = np.median(stamps[:, _RING], axis=1)
    return stamps - around[:, None, None], x + HALF, y + HALF, np.full(len(x), noise)


_DISTANCE = np.hypot(*np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1])
_RING = _DISTANCE > HALF - 0.5


def _alone(stamps: NDArray[np.float64], noise: float) -> NDArray[np.bool_]:
    """Whether a stamp has no second peak: nothing high beyond 3 pixels from the middle."""
    peak = stamps[:, HALF, HALF]
    rest = np.where(_DISTANCE > 3, stamps, -np.inf).max((1, 2))
    lowest = np.where(_DISTANCE < 2.5, stamps, np.inf).min((1, 2))  # no dead pixel in its light
    return (rest < np.maximum(_RIVAL * peak, 4 * noise)) & (lowest > -5 * noise)
