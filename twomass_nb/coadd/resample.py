"""How one calibrated frame comes onto the pixels of an image, its flux kept.

A frame is placed by one affine map of its pixels to those of the image (`twomass_nb.array.affine`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from ..errors import NotFoundError, needs

__all__ = ["KERNELS", "SPLINES", "Resampled", "require_kernel", "resample"]

Image = NDArray[np.float32]

#: Orders of the splines offered beside the drizzle library's kernels, of which those are left out
#: that do not keep flux (it says so of "gaussian" and "lanczos") or leave holes ("point").
SPLINES = {"bilinear": 1, "spline": 3}
KERNELS = ("turbo", "square", *SPLINES)

_Y, _X = np.mgrid[:SIZE, :SIZE].astype(float)
# Variance of an interpolated pixel over that of a raw one, on average over places: the integral of
# the cardinal spline squared, in both directions.
_SPLINE_VARIANCE = {1: (2 / 3) ** 2, 3: 0.8742**2}
# An interpolated pixel needs so much of what it is made of. Chosen.
_SPLINE_SHARE = 0.6
# Pixels of the image to either side of a bad raw one that it may have a part in.
_AROUND = 3


@dataclass(frozen=True)
class Resampled:
    """One frame on the pixels of an image: all columns, and the rows from `first` on.

    Attributes
    ----------
    frame : int
    first : int
        Row of the image that is row 0 here.
    values : array of float32
        DN a pixel of the image; NaN where the frame has nothing.
    variance : array of float32
        Of a value, DN squared. Values of neighbouring pixels are correlated by the kernel.
    weight : array of float32
        Share of the pixel, about, that good pixels of the frame cover; 0 where it has nothing.
    """

    frame: int
    first: int
    values: Image
    variance: Image
    weight: Image

    @property
    def rows(self) -> slice:
        """Rows of the image that these are."""
        return slice(self.first, self.first + len(self.values))


def require_kernel(kernel: str, pixfrac: float) -> None:
    """Refuse a kernel, or a share of a pixel's width, that there is not.

    Raises
    ------
    NotFoundError
        The message says what there is.
    """
    if kernel not in KERNELS:
        msg = f"there is no kernel {kernel!r}: use {', '.join(KERNELS)}"
        raise NotFoundError(msg)
    if not 0 < pixfrac <= 1:
        msg = f"pixfrac={pixfrac!r} is impossible: it is a share of a pixel's width, up to 1"
        raise NotFoundError(msg)


def resample(
    i: int, pixels: Image, variance: Image, mask: NDArray[np.bool_], affine: NDArray[np.float64],
    shape: tuple[int, int], kernel: str, pixfrac: float,
) -> Resampled | None:  # fmt: skip
    """Put a frame onto the pixels of an image.

    Parameters
    ----------
    i : int
        Its number.
    pixels, variance, mask : array, shape (256, 256)
        As `twomass_nb.calibrate.Science` has them.
    affine : array, shape (2, 3)
        See `twomass_nb.array.affine.affine_map`.
    shape : (rows, columns)
        Of the image.
    kernel, pixfrac
        See `twomass_nb.coadd.stack`.

    Returns
    -------
    Resampled or None
        None if the frame misses the image.
    """
    ends = np.array([-0.5, SIZE - 0.5])
    x, y = (
        (term[0] + term[1] * ends[:, None] + term[2] * ends[None, :]).ravel() for term in affine
    )
    first, stop = max(math.floor(y.min()) - 1, 0), min(math.ceil(y.max()) + 2, shape[0])
    if first >= stop or x.max() < -0.5 or x.min() > shape[1] - 0.5:
        return None
    moved = affine.copy()
    moved[1, 0] -= first
    # flux is kept: a raw pixel's light is shared by the area, in pixels of the image, it covers
    area = abs(np.linalg.det(affine[:, 1:]))
    good = ~mask & np.isfinite(pixels) & np.isfinite(variance)
    size = (stop - first, shape[1])
    if kernel in SPLINES:
        made = _interpolated(pixels, variance, good, moved, size, SPLINES[kernel])
    else:
        made = _drizzled(pixels, variance, good, moved, size, kernel, pixfrac, area)
    values, squares, weight = made
    scale = np.float32(1 / area)
    values *= scale
    squares *= scale * scale
    empty = ~(weight > 0)
    values[empty], squares[empty], weight[empty] = np.nan, np.nan, 0
    return Resampled(i, first, values, squares, weight)


def _drizzled(
    pixels: Image, variance: Image, good: NDArray[np.bool_], affine: NDArray[np.float64],
    size: tuple[int, int], kernel: str, pixfrac: float, area: float,
) -> tuple[Image, Image, Image]:  # fmt: skip
    needs("drizzle", "reduce")
    from drizzle.resample import Drizzle

    where = np.empty((SIZE, SIZE, 2))
    for axis, term in enumerate(affine):
        where[..., axis] = term[0] + term[1] * _X + term[2] * _Y
    out = Drizzle(kernel=kernel, out_shape=size, fillval="NAN", disable_ctx=True)
    out.add_image(
        np.where(good, pixels, np.float32(0)), 1.0, where,
        data2=[np.where(good, variance, np.float32(0))], weight_map=good.astype(np.float32),
        pixel_scale_ratio=1 / math.sqrt(area), pixfrac=pixfrac,
    )  # fmt: skip
    # the library's weight is the share covered over the area, in pixels of the image, of a raw one
    return out.out_img, out.out_img2[0], out.out_wht * np.float32(area)


def _interpolated(
    pixels: Image, variance: Image, good: NDArray[np.bool_], affine: NDArray[np.float64],
    size: tuple[int, int], order: int,
) -> tuple[Image, Image, Image]:  # fmt: skip
    """Interpolate with splines; nothing is extrapolated beyond the outer pixels' centres."""
    back = np.asarray(np.linalg.inv(affine[::-1, :0:-1]), float)  # rows before columns
    offset = -back @ affine[::-1, 0]
    filled = _filled(pixels, good)
    if order == 1:
        values = _sampled(filled, back, offset, size, "BILINEAR")
        values[~_within(back, offset, size)] = np.nan
    else:
        from scipy import ndimage

        values = ndimage.affine_transform(
            filled, back, offset, size, np.float32, order, mode="constant", cval=np.nan
        )
    # that of the nearest pixel, on average over places: what is around one has much the same
    squares = _sampled(_filled(variance, good), back, offset, size, "NEAREST")
    squares *= np.float32(_SPLINE_VARIANCE[order])
    share = np.isfinite(values).astype(np.float32)
    _take_off_bad(share, ~good, affine, back, offset)
    share[share < _SPLINE_SHARE] = 0
    return values, squares, share


def _sampled(
    picture: Image, back: NDArray[np.float64], offset: NDArray[np.float64], size: tuple[int, int],
    how: str,
) -> Image:  # fmt: skip
    """Sample a picture with Pillow, which does the simple ways several times faster than scipy."""
    from PIL import Image as Pillow

    (yy, yx), (xy, xx) = back
    # its pixels are counted from their corners
    terms = (xx, xy, offset[1] + 0.5 - (xx + xy) / 2, yx, yy, offset[0] + 0.5 - (yx + yy) / 2)
    moved = Pillow.fromarray(np.ascontiguousarray(picture, np.float32)).transform(
        size[::-1], Pillow.Transform.AFFINE, terms, resample=Pillow.Resampling[how]
    )
    return np.array(moved)


def _within(
    back: NDArray[np.float64], offset: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Say which pixels of the image lie between the outer pixels' centres of the frame."""
    row, column = np.arange(size[0])[:, None], np.arange(size[1])
    inside = np.ones(size, bool)
    for (along, across), start in zip(back, offset, strict=True):
        place = (start + along * row).astype(np.float32) + (across * column).astype(np.float32)
        inside &= (place >= 0) & (place <= SIZE - 1)
    return inside


def _take_off_bad(
    share: Image, bad: NDArray[np.bool_], affine: NDArray[np.float64], back: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> None:  # fmt: skip
    """Take off what bad pixels have in the pixels around them, by bilinear weights."""
    y, x = np.nonzero(bad)
    reach = np.arange(-_AROUND, _AROUND + 1)
    middle = affine[::-1] @ np.stack([np.ones(len(x)), x, y])
    row, column = np.rint(middle).astype(int)[:, :, None, None]
    row, column = np.broadcast_arrays(row + reach[:, None], column + reach)
    inside = (row >= 0) & (row < share.shape[0]) & (column >= 0) & (column < share.shape[1])
    from_y = np.abs(back[0, 0] * row + back[0, 1] * column + offset[0] - y[:, None, None])
    from_x = np.abs(back[1, 0] * row + back[1, 1] * column + offset[1] - x[:, None, None])
    weight = np.clip(1 - from_y, 0, None) * np.clip(1 - from_x, 0, None)
    np.subtract.at(share, (row[inside], column[inside]), weight[inside].astype(np.float32))


def _filled(picture: Image, good: NDArray[np.bool_]) -> Image:
    """Return a picture whose bad pixels have the mean of the good ones around them."""
    from scipy import ndimage

    if good.all():
        return picture
    known = np.where(good, picture, np.float32(0))
    level = np.float32(known.sum(dtype=float) / max(good.sum(), 1))
    total = ndimage.uniform_filter(known - level * good, 3)
    count = ndimage.uniform_filter(good.astype(np.float32), 3)
    around = level + total / np.maximum(count, np.float32(1e-3))
    return np.where(good, picture, around).astype(np.float32)
