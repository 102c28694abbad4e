"""Peers that put a frame on an image: a bare loop in C, drizzle by its manual, reproject.

Each is given a calibrated frame, its mask, and the two WCS, and returns the rows of the image that
the frame reaches: DN a pixel of the image, and weights. Rows are cut out for all of them: given a
whole image they would be slower and show nothing else.
"""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.wcs import WCS

from twomass_nb.array.affine import affine_map
from twomass_nb.coadd.resample import Resampled

__all__ = ["Frame", "Method", "floor", "floor_bare", "pixmap_drizzle", "reprojected", "trimmed"]

SIZE = 256
CODE = r"""
#include <math.h>
/* Bilinear, by an affine map b of the image's pixels to the frame's; the good pixels of four. */
void bilinear(const float *in, const float *good, const double *b, long rows, long columns,
              float area, float *out, float *weight) {
    for (long r = 0; r < rows; r++) for (long c = 0; c < columns; c++, out++, weight++) {
        double x = b[0] + b[1] * c + b[2] * r, y = b[3] + b[4] * c + b[5] * r;
        *out = NAN; *weight = 0;
        if (!(x >= 0 && y >= 0 && x < 255 && y < 255)) continue;
        long i = (long)x, j = (long)y, k = j * 256 + i;
        float fx = x - i, fy = y - j;
        float p = (1 - fx) * (1 - fy) * good[k], q = fx * (1 - fy) * good[k + 1];
        float s = (1 - fx) * fy * good[k + 256], t = fx * fy * good[k + 257], w = p + q + s + t;
        if (w < 0.5f) continue;
        *out = (p * in[k] + q * in[k + 1] + s * in[k + 256] + t * in[k + 257]) / (w * area);
        *weight = w;
    }
}
"""


class Frame(NamedTuple):
    """A calibrated frame."""

    number: int
    pixels: np.ndarray
    variance: np.ndarray
    mask: np.ndarray
    wcs: WCS


Method = Callable[[Frame, WCS, tuple[int, int]], Resampled]


@cache
def library() -> ctypes.CDLL:
    """Compile the loop in C.

    Raises
    ------
    FileNotFoundError
        If there is no compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        msg = "no C compiler here (cc, gcc)"
        raise FileNotFoundError(msg)
    folder = Path(tempfile.mkdtemp(prefix="peer"))
    source, made = folder / "bilinear.c", folder / "bilinear.so"
    source.write_text(CODE)
    words = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", made, source]
    subprocess.run(words, check=True)
    loaded = ctypes.CDLL(str(made))
    shutil.rmtree(folder)
    array = np.ctypeslib.ndpointer
    loaded.bilinear.argtypes = [
        array(np.float32), array(np.float32), array(np.float64), ctypes.c_long, ctypes.c_long,
        ctypes.c_float, array(np.float32), array(np.float32),
    ]  # fmt: skip
    loaded.bilinear.restype = None
    return loaded


def reached(affine: np.ndarray, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the rows of the image that a frame reaches: first, and one after the last."""
    ends = np.array([-0.5, SIZE - 0.5])
    y = affine[1, 0] + affine[1, 1] * ends[:, None] + affine[1, 2] * ends
    return max(math.floor(y.min()) - 1, 0), min(math.ceil(y.max()) + 2, shape[0])


def inverse(affine: np.ndarray, first: int) -> np.ndarray:
    """Return the map of pixels (column, row - first) of the image to pixels of the frame."""
    back = np.linalg.inv(affine[:, 1:])
    start = back @ (np.array([0.0, first]) - affine[:, 0])
    return np.column_stack([start, back])


def good_pixels(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    good = ~frame.mask & np.isfinite(frame.pixels)
    return good, np.where(good, frame.pixels, np.float32(0))


def floor_bare(
    frame: Frame, affine: np.ndarray, shape: tuple[int, int]
) -> tuple[int, np.ndarray, np.ndarray]:
    """Resample with the map given, nothing else: what no Python can beat."""
    first, stop = reached(affine, shape)
    good, pixels = good_pixels(frame)
    values = np.empty((stop - first, shape[1]), np.float32)
    weight = np.empty_like(values)
    area = abs(np.linalg.det(affine[:, 1:]))
    library().bilinear(
        pixels, good.astype(np.float32), inverse(affine, first), *values.shape, area, values, weight
    )
    return first, values, weight


def floor(frame: Frame, image: WCS, shape: tuple[int, int]) -> Resampled:
    """Fit the affine map and resample bilinearly in C."""
    first, values, weight = floor_bare(frame, affine_map(frame.wcs, image), shape)
    return Resampled(frame.number, first, values, np.zeros_like(values), weight)


def pixmap_drizzle(kernel: str, variance: bool = False, affine: bool = False) -> Method:
    """Return the drizzle library used as its manual says.

    Parameters
    ----------
    kernel : str
    variance : bool
        Whether the variance is resampled too (data2).
    affine : bool
        Whether an affine map makes the pixmap, instead of the library's calc_pixmap.
    """
    from drizzle.resample import Drizzle
    from drizzle.utils import calc_pixmap

    grid_y, grid_x = np.mgrid[:SIZE, :SIZE].astype(float)

    def method(frame: Frame, image: WCS, shape: tuple[int, int]) -> Resampled:
        fitted = affine_map(frame.wcs, image)
        first, stop = reached(fitted, shape)
        if affine:
            where = np.empty((SIZE, SIZE, 2))
            for axis, term in enumerate(fitted):
                where[..., axis] = term[0] + term[1] * grid_x + term[2] * grid_y
            where[..., 1] -= first
        else:
            cut = image.deepcopy()
            cut.wcs.crpix = cut.wcs.crpix - [0, first]
            where = calc_pixmap(frame.wcs, cut)
        area = abs(np.linalg.det(fitted[:, 1:]))
        good, pixels = good_pixels(frame)
        size = (stop - first, shape[1])
        out = Drizzle(kernel=kernel, out_shape=size, fillval="NAN", disable_ctx=True)
        second = [np.where(good, frame.variance, np.float32(0))] if variance else None
        out.add_image(
            pixels, 1.0, where, data2=second, weight_map=good.astype(np.float32),
            pixel_scale_ratio=1 / math.sqrt(area),
        )  # fmt: skip
        weight = out.out_wht * np.float32(area)
        values = np.where(weight > 0, out.out_img / np.float32(area), np.float32(np.nan))
        error = out.out_img2[0] / np.float32(area**2) if variance else np.zeros_like(values)
        return Resampled(frame.number, first, values, error, weight)

    return method


def reprojected(frame: Frame, image: WCS, shape: tuple[int, int]) -> Resampled:
    """Resample with reproject_interp, without the round trip that doubles its time."""
    from reproject import reproject_interp

    fitted = affine_map(frame.wcs, image)
    first, stop = reached(fitted, shape)
    cut = image.deepcopy()
    cut.wcs.crpix = cut.wcs.crpix - [0, first]
    size = (stop - first, shape[1])
    pixels = np.where(frame.mask, np.float32(np.nan), frame.pixels)
    values, covered = reproject_interp(
        (pixels, frame.wcs), cut, shape_out=size, roundtrip_coords=False
    )
    values = (values / abs(np.linalg.det(fitted[:, 1:]))).astype(np.float32)
    weight = np.where(np.isfinite(values), covered, 0).astype(np.float32)
    return Resampled(frame.number, first, values, np.zeros_like(values), weight)


def trimmed(one: Resampled, frame: Frame, image: WCS) -> Resampled:
    """Take off the half pixel at the rim that reproject extrapolates."""
    b = inverse(affine_map(frame.wcs, image), one.first)
    row, column = np.indices(one.values.shape)
    places = [term[0] + term[1] * column + term[2] * row for term in b]
    outside = np.any([(at < 0) | (at > SIZE - 1) for at in places], axis=0)
    values, weight = one.values.copy(), one.weight.copy()
    values[outside], weight[outside] = np.nan, 0
    return Resampled(one.frame, one.first, values, one.variance, weight)
