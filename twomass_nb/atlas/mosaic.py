"""How neighbouring Atlas Images become one: resampled, brought to one zero point and sky, blended.

What was measured on eight real images (Ks, M17, four neighbouring scans, two coadds of each):

- Neighbouring coadds of a scan hold the same pixels in the 54 rows they share, but for a constant
  of 0.6 to 2.0 DN (scatter 0.002 to 0.005 DN): the survey set the sky of each coadd by itself.
- Neighbouring scans differ by 0.03 to 7 DN, as the airglow does, and by up to 4 DN more at one
  end of a pair of coadds than at the other.

So each image is given a constant and a slope along its scan, fitted to all overlaps at once. With
constants alone steps of up to 2 DN stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from .image import AtlasImage

__all__ = ["Mosaic", "Piece", "cut_piece", "join"]

#: Weights rise over so many pixels from an image's edge: neighbours overlap by 51 to 54 arcsec.
_RAMP = 50.0
#: Overlaps are compared in so many blocks along them, each of so many pixels at least.
_BLOCKS, _ENOUGH = 8, 100
# A block is looked at in at most so many pixels.
_SAMPLE = 20_000
# How hard images hold on to the sky and the slope they came with, in parts of what overlaps say.
_HOLD_SKY, _HOLD_SLOPE = 1e-4, 0.02


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
    along : (float, float, float)
        Where pixels lie along the scan: at row, column of the grid along[0] + along[1] row +
        along[2] column, which is -0.5 at the image's southern edge and 0.5 at its northern one.
    """

    image: AtlasImage
    rows: slice
    cols: slice
    data: NDArray[np.float32]
    weight: NDArray[np.float32]
    along: tuple[float, float, float]

    def plane(self, constant: float, slope: float) -> NDArray[np.float64]:
        """Return a constant and a slope along the scan at every pixel."""
        start, by_row, by_col = self.along
        rows = np.arange(self.rows.start, self.rows.stop)[:, None]
        cols = np.arange(self.cols.start, self.cols.stop)
        return constant + slope * (start + by_row * rows + by_col * cols)

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
    scales, offsets, slopes : array
        A piece's pixels were multiplied by its scale, then its offset and its slope times the
        place along the scan (DN) were added.
    """

    data: NDArray[np.float32]
    coverage: NDArray[np.uint8]
    magzp: float | None
    scales: NDArray[np.float64]
    offsets: NDArray[np.float64]
    slopes: NDArray[np.float64]


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
    weight[np.isnan(seen)] = 0
    return Piece(image, rows, cols, seen, weight, _along(image, wcs))


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


def _along(image: AtlasImage, wcs: WCS) -> tuple[float, float, float]:
    """Place along the scan as a linear function of row and column, true at the image's middle."""
    height, width = image.data.shape
    middle = (width - 1) / 2, (height - 1) / 2
    col, row = wcs.wcs_world2pix(*image.wcs.wcs_pix2world(*middle, 0), 0)
    near = image.wcs.wcs_world2pix(*wcs.wcs_pix2world([col, col + 1], [row + 1, row], 0), 0)
    by_row, by_col = (near[1] - middle[1]) / height
    return float(-by_row * row - by_col * col), float(by_row), float(by_col)


def _edge_weight(valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    from scipy.ndimage import distance_transform_edt

    inside = distance_transform_edt(np.pad(valid, 1))[1:-1, 1:-1]
    return np.minimum(inside / _RAMP, 1).astype(np.float32)


def join(pieces: Sequence[Piece], shape: tuple[int, int]) -> Mosaic:
    """Join the pieces of one band on their grid.

    Each is brought to one zero point (MAGZP), given a constant and a slope so that the skies of
    all overlaps agree, and blended into its neighbours over the overlap.
    """
    scales, magzp = _zero_points(pieces)
    offsets, slopes = _skies(pieces, scales)
    total, weights = np.zeros(shape), np.zeros(shape, np.float32)
    coverage = np.zeros(shape, np.uint8)
    for piece, scale, offset, slope in zip(pieces, scales, offsets, slopes, strict=True):
        at = piece.rows, piece.cols
        seen = np.nan_to_num(piece.data * scale) + piece.plane(offset, slope)
        total[at] += piece.weight * seen
        weights[at] += piece.weight
        coverage[at] += np.isfinite(piece.data)
    with np.errstate(invalid="ignore", divide="ignore"):
        data = (total / weights).astype(np.float32)
    return Mosaic(data, coverage, magzp, scales, offsets, slopes)


def _zero_points(pieces: Sequence[Piece]) -> tuple[NDArray[np.float64], float | None]:
    if any("MAGZP" not in piece.image.header for piece in pieces):
        return np.ones(len(pieces)), None
    own = np.array([piece.image.number("MAGZP") for piece in pieces])
    common = own[np.argmax([piece.pixels for piece in pieces])]
    return 10 ** (0.4 * (common - own)), float(common)


def _skies(
    pieces: Sequence[Piece], scales: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Constants and slopes (DN) that make the pieces agree where they overlap.

    Least squares of the medians of all overlaps' blocks, each weighted by its pixels. The mean
    constant is zero; images that share nothing keep their own sky.
    """
    n = len(pieces)
    equations, differences = [], []
    for i, one in enumerate(pieces):
        for j in range(i):
            for median, count, t_one, t_other in _blocks(one, pieces[j], scales[i], scales[j]):
                row = np.zeros(2 * n)
                row[[i, n + i, j, n + j]] = 1, t_one, -1, -t_other
                equations.append(row * np.sqrt(count))
                differences.append(-median * np.sqrt(count))
    size = np.sqrt([piece.pixels for piece in pieces])
    hold = np.diag(np.concatenate([_HOLD_SKY * size, _HOLD_SLOPE * size]))
    found = np.linalg.lstsq(
        np.vstack([*equations, hold]), np.concatenate([differences, np.zeros(2 * n)])
    )[0]
    return found[:n], found[n:]


def _blocks(
    one: Piece, other: Piece, scale: float, other_scale: float
) -> Iterator[tuple[float, int, float, float]]:
    """Yield, block by block of an overlap, what one piece has more than the other.

    Median difference (DN), number of pixels, and where the block lies along both scans.
    """
    low = [max(one.rows.start, other.rows.start), max(one.cols.start, other.cols.start)]
    high = [min(one.rows.stop, other.rows.stop), min(one.cols.stop, other.cols.stop)]
    if high[0] <= low[0] or high[1] <= low[1]:
        return
    longer = int(high[1] - low[1] > high[0] - low[0])
    for start, stop in pairwise(np.linspace(low[longer], high[longer], _BLOCKS + 1).astype(int)):
        low[longer], high[longer] = start, stop
        data, place = [], []
        for piece, own in ((one, scale), (other, other_scale)):
            rows = slice(low[0] - piece.rows.start, high[0] - piece.rows.start)
            cols = slice(low[1] - piece.cols.start, high[1] - piece.cols.start)
            data.append(piece.data[rows, cols] * own)
            place.append(piece.plane(0, 1)[rows, cols])
        difference = data[0] - data[1]
        valid = np.isfinite(difference)
        count = int(valid.sum())
        if count >= _ENOUGH:
            sample = difference[valid][:: -(-count // _SAMPLE)]
            t_one, t_other = (float(t[valid].mean()) for t in place)
            yield float(np.median(sample)), count, t_one, t_other
