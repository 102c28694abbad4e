"""Whether a raw frame has east left or east right, decided by the stars of a processed image.

One of our sources says "east to the right", every real Atlas header has it left. A frame and a
coadd of the same place settle it: the coadd is put into the frame's pixels under both parities,
and the stars fit only one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from ..array.geometry import SIZE, ArrayGeometry
from ..array.track import ScanTrack
from ..errors import NotFoundError
from .image import AtlasImage

__all__ = ["Parity", "find_parity"]

# A predicted frame may be off by 45 arcsec along the scan and 18 across it (FACTS, geometry from
# headers), and stars of the coadd's edge fall off the frame: pixels searched, along and across.
_SEARCH = (30, 12)
# The better parity must explain so much, and so much more than the other. Chosen: on simulated
# frames the right one reaches .44 to .54 in all bands, the wrong one .02 to .10.
_LEAST, _OVER = 0.2, 1.5
# Sigmas that a square of 2 x 2 pixels counts at least, and at most: no hot pixel outweighs stars.
_FAINT, _BRIGHT = 5.0, 12.0


@dataclass(frozen=True)
class Parity:
    """What the stars say.

    Attributes
    ----------
    east_left : bool or None
        None if they do not decide.
    left, right : float
        Correlation of the stars under each parity, 0 to 1, at the best shift.
    shift : (float, float)
        How far the frame is from where it was predicted, under the better parity: pixels (x, y).
    """

    east_left: bool | None
    left: float
    right: float
    shift: tuple[float, float]

    def __str__(self) -> str:
        numbers = (
            f"the correlation of stars is {self.left:.2f} with east left, {self.right:.2f} with "
            "east right"
        )
        if self.east_left is None:
            return f"The stars do not decide where east is: {numbers}"
        x, y = self.shift
        return (
            f"East is {'left' if self.east_left else 'right'}: {numbers}; the frame "
            f"is {x:+.0f}, {y:+.0f} pixels from where it was predicted"
        )


def find_parity(
    pixels: NDArray[Any], track: ScanTrack, frame: int, geometry: ArrayGeometry, image: AtlasImage
) -> Parity:
    """Decide from the stars whether columns of a frame are counted from the east or the west.

    Parameters
    ----------
    pixels : array, shape (256, 256)
        The frame, r2 - r1, best less the median of its neighbours: what stays in the same pixel
        is no star.
    track : ScanTrack
        Where its scan looked.
    frame : int
        Its number, counted from 0.
    geometry : ArrayGeometry
        Of its array; its parity plays no part.
    image : AtlasImage
        A coadd of the same band and place.

    Raises
    ------
    NotFoundError
        If the frame and the image have less than a quarter of a frame in common.
    """
    seen = _stars(np.asarray(pixels, float))
    best = []
    for east_left in (True, False):
        wcs = track.wcs(frame, replace(geometry, east_left=east_left))
        expected = _expected(wcs, image)
        if np.isfinite(expected).mean() < 0.25:
            msg = f"frame {frame} and {image!r} have too little sky in common to compare them"
            raise NotFoundError(msg)
        best.append(_fit(seen, _stars(expected)))
    (left, left_at), (right, right_at) = best
    more, less = max(left, right), min(left, right)
    decided = more > _LEAST and more > _OVER * less
    return Parity(
        (left > right) if decided else None, left, right, left_at if left > right else right_at
    )


def _expected(wcs: WCS, image: AtlasImage) -> NDArray[np.float64]:
    """Return the image in the pixels of a frame, NaN where it has none."""
    y, x = np.mgrid[:SIZE, :SIZE]
    at = image.wcs.all_world2pix(np.stack(wcs.all_pix2world(x.ravel(), y.ravel(), 0), 1), 0)
    # A raw pixel covers 2 x 2 pixels of the image: the mean of those around it.
    column, row = np.floor(at.T).astype(int)
    data = np.pad(image.data.astype(float), 1, constant_values=np.nan)
    ny, nx = image.data.shape
    inside = (row >= -1) & (row < ny) & (column >= -1) & (column < nx)
    row, column = np.where(inside, row, -1) + 1, np.where(inside, column, -1) + 1
    four = [data[row + i, column + j] for i in (0, 1) for j in (0, 1)]
    return np.where(inside, np.mean(four, axis=0), np.nan).reshape(SIZE, SIZE)


def _stars(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what stands out of the background, in its sigmas, limited; 0 where nothing is known.

    Rows and columns lose their medians: bars, reset decay and sky gradients are no stars.
    """
    known = np.isfinite(pixels)
    masked = np.where(known, pixels, np.nanmedian(pixels))
    masked = masked - np.median(masked, axis=1, keepdims=True)
    masked = masked - np.median(masked, axis=0, keepdims=True)
    squares = [np.roll(masked, shift, (0, 1)) for shift in ((0, 0), (0, 1), (1, 0), (1, 1))]
    masked = np.sum(squares, axis=0)
    sigma = 1.4826 * np.median(np.abs(masked[known])) or 1.0
    out = np.clip(masked / sigma, 0, _BRIGHT)
    out[(out < _FAINT) | ~known] = 0
    return np.asarray(out)


def _fit(
    seen: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[float, tuple[float, float]]:
    """Return the correlation at the best shift, and that shift (x, y)."""
    size = (2 * SIZE, 2 * SIZE)
    both = np.fft.rfft2(seen, size) * np.conj(np.fft.rfft2(expected, size))
    correlation = np.fft.fftshift(np.fft.irfft2(both, size))
    along, across = _SEARCH
    part = correlation[SIZE - along : SIZE + along + 1, SIZE - across : SIZE + across + 1]
    row, column = np.unravel_index(part.argmax(), part.shape)
    power = float(np.sqrt((seen**2).sum() * (expected**2).sum()))
    best = float(part[row, column]) / power if power > 0 else 0.0
    return best, (float(column - across), float(row - along))
