"""How neighbouring Atlas Images become one: resampled, brought to one zero point and sky, blended.

What was measured on eight real images (Ks, M17, four neighbouring scans, two coadds of each):

- Neighbouring coadds of a scan hold the same pixels in the 54 rows they share, but for a constant
  of 0.6 to 2.0 DN (scatter 0.002 to 0.005 DN): the survey set the sky of each coadd by itself.
- Neighbouring scans differ by 0.03 to 7 DN, as the airglow does.

So one constant an image, fitted to the medians of all overlaps at once, takes away every seam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from .image import AtlasImage

__all__ = ["Mosaic", "Piece", "cut_piece", "join"]

#: Weights rise over so many pixels from an image's edge: neighbours overlap by 51 to 54 arcsec.
_RAMP = 50.0
#: Pixels two images must share for their skies to be compared.
_ENOUGH = 100
# Differences are looked at in at most so many pixels of an overlap.
_SAMPLE = 20_000
# No median is trusted beyond this scatter of single pixels, DN.
_FLOOR = 0.01
# How hard images hold on to their own sky, in parts of what overlaps say.
_HOLD = 1e-4


@dataclass(eq=False)
class Piece:
    """What one image shows of a grid.

    Attributes
    ----------
    image : AtlasImage
    rows, cols : slice
        Where the piece lies in the grid.
    data : array
        DN of the image; NaN where it has none.
    weight : array
        From 0 at the image's edges to 1 inside.
    """

    image: AtlasImage
    rows: slice
    cols: slice
    data: NDArray[np.float32]
    weight: NDArray[np.float32]

    @property
    def pixels(self) -> int:
        """Number of pixels that hold something."""
        return int(np.isfinite(self.data).sum())


@dataclass(eq=False)
class Mosaic:
    """Pieces of one band, joined.

    Attributes
    ----------
    data : array
        DN on the zero point `magzp`; NaN where no image is.
    coverage : array of uint8
        How many images each pixel is from.
    magzp : float or None
        Zero point of the piece with most pixels; None if an image does not give its own.
    scales, offsets : array
        A piece's pixels were multiplied by its scale, then its offset (DN) was added.
    """

    data: NDArray[np.float32]
    coverage: NDArray[np.uint8]
    magzp: float | None
    scales: NDArray[np.float64]
    offsets: NDArray[np.float64]


def cut_piece(image: AtlasImage, wcs: WCS, shape: tuple[int, int]) -> Piece | None:
    """Resample what an image shows of a grid; None if it shows nothing.

    Interpolation is bilinear: on real stars it keeps aperture magnitudes to 0.001 (median) and
    positions to 0.01 arcsec, and does not ring beside saturated stars.

    Parameters
    ----------
    image : AtlasImage
    wcs : WCS
        Of the grid.
    shape : (int, int)
        Its rows and columns.
    """
    from reproject import reproject_interp

    window = _window(image, wcs, shape)
    if window is None:
        return None
    rows, cols = window
    data = np.array(image.data, np.float32)
    # reproject extrapolates by half a pixel beyond the outermost centres, which spoils photometry
    data[[0, -1]] = np.nan
    data[:, [0, -1]] = np.nan
    both = np.stack([data, _edge_weight(np.isfinite(data))])
    out, _ = reproject_interp(
        (both, image.wcs),
        wcs[rows, cols],
        shape_out=(2, rows.stop - rows.start, cols.stop - cols.start),
        order="bilinear",
        roundtrip_coords=False,
    )
    seen, weight = out.astype(np.float32)
    if not np.isfinite(seen).any():
        return None
    return Piece(image, rows, cols, seen, np.where(np.isfinite(seen), weight, 0))


def _window(image: AtlasImage, wcs: WCS, shape: tuple[int, int]) -> tuple[slice, slice] | None:
    """Rows and columns of a grid that an image may reach."""
    height, width = image.data.shape
    x, y = np.linspace(0, width - 1, 9), np.linspace(0, height - 1, 9)
    x, y = (np.ravel(axis) for axis in np.meshgrid(x, y))
    u, v = wcs.wcs_world2pix(*image.wcs.wcs_pix2world(x, y, 0), 0)
    if not np.isfinite(u).all():  # on the other side of the sky
        return None
    found = []
    for place, size in ((v, shape[0]), (u, shape[1])):
        low, high = np.clip([np.floor(place.min()) - 1, np.ceil(place.max()) + 2], 0, size)
        if high <= low:
            return None
        found.append(slice(int(low), int(high)))
    return found[0], found[1]


def _edge_weight(valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    from scipy.ndimage import distance_transform_edt

    inside = distance_transform_edt(np.pad(valid, 1))[1:-1, 1:-1]
    return np.minimum(inside / _RAMP, 1).astype(np.float32)


def join(pieces: Sequence[Piece], shape: tuple[int, int]) -> Mosaic:
    """Join the pieces of one band on their grid.

    Each is brought to one zero point (MAGZP), given one constant so that the skies of all
    overlaps agree, and blended into its neighbours over the overlap.
    """
    scales, magzp = _zero_points(pieces)
    offsets = _offsets(pieces, scales)
    total, weights = np.zeros(shape), np.zeros(shape, np.float32)
    coverage = np.zeros(shape, np.uint8)
    for piece, scale, offset in zip(pieces, scales, offsets, strict=True):
        at = piece.rows, piece.cols
        total[at] += piece.weight * np.nan_to_num(piece.data * scale + offset)
        weights[at] += piece.weight
        coverage[at] += np.isfinite(piece.data)
    with np.errstate(invalid="ignore", divide="ignore"):
        data = (total / weights).astype(np.float32)
    return Mosaic(data, coverage, magzp, scales, offsets)


def _zero_points(pieces: Sequence[Piece]) -> tuple[NDArray[np.float64], float | None]:
    if any("MAGZP" not in piece.image.header for piece in pieces):
        return np.ones(len(pieces)), None
    own = np.array([piece.image.number("MAGZP") for piece in pieces])
    common = own[np.argmax([piece.pixels for piece in pieces])]
    return 10 ** (0.4 * (common - own)), float(common)


def _offsets(pieces: Sequence[Piece], scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Constants (DN) that make the pieces agree where they overlap; their mean is zero.

    Weighted least squares of the medians of all pairs' differences; how each median counts is
    how well it is known. Images that share nothing keep their own sky.
    """
    equations, differences = [], []
    for i, one in enumerate(pieces):
        for j in range(i):
            compared = _difference(one, pieces[j], scales[i], scales[j])
            if compared is not None:
                median, error = compared
                row = np.zeros(len(pieces))
                row[i], row[j] = 1 / error, -1 / error
                equations.append(row)
                differences.append(-median / error)
    size = np.sqrt([piece.pixels for piece in pieces])
    hold = np.diag(_HOLD * size)
    return np.linalg.lstsq(
        np.vstack([*equations, hold]), np.concatenate([differences, np.zeros(len(pieces))])
    )[0]


def _difference(
    one: Piece, other: Piece, scale: float, other_scale: float
) -> tuple[float, float] | None:
    """Median of one piece minus another, and its error; None if they share too little."""
    parts = []
    for piece, own in ((one, scale), (other, other_scale)):
        rows = slice(
            max(one.rows.start, other.rows.start) - piece.rows.start,
            min(one.rows.stop, other.rows.stop) - piece.rows.start,
        )
        cols = slice(
            max(one.cols.start, other.cols.start) - piece.cols.start,
            min(one.cols.stop, other.cols.stop) - piece.cols.start,
        )
        if rows.stop <= rows.start or cols.stop <= cols.start:
            return None
        parts.append(piece.data[rows, cols] * own)
    difference = (parts[0] - parts[1]).ravel()
    difference = difference[np.isfinite(difference)]
    if difference.size < _ENOUGH:
        return None
    sample = difference[:: -(-difference.size // _SAMPLE)]
    median = float(np.median(sample))
    scatter = 1.4826 * float(np.median(np.abs(sample - median)))
    return median, (scatter + _FLOOR) / np.sqrt(difference.size)
