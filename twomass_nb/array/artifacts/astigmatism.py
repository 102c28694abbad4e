"""Elongation of star images, which astigmatism makes out of focus: axis ratio and angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ...errors import NotFoundError
from .measured import Measured, measured
from .stacking import QUADRANT
from .stars import HALF, Stamps

__all__ = ["Elongation", "elongation"]

_LEAST = 5  # stars
_WEIGHT = 1.6  # pixels: sigma of the Gaussian that moments are weighted with
_FINE = 4  # sub-pixels a pixel in the mean image
_COLUMNS = 4  # stars of so many columns are left out together
_TURNS = 6  # centring
_UNITS = ("", u.deg, "", "", u.pix)  # of axis ratio, angle, plus, cross, FWHM
_Y, _X = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1].astype(float)


@dataclass(frozen=True)
class Elongation:
    """Shapes of star images, from their second moments.

    Attributes
    ----------
    stars : array of int, shape (4,)
        In each quadrant.
    axis_ratio : Measured, shape (4,)
        Long over short axis, 1 if round; as it is never less than 1, a round image gives about
        1 plus its error. NaN with fewer than 5 stars.
    angle : Measured, shape (4,)
        Of the long axis, from north through east, in the array's pixels (north is up its
        columns, east left); its error is that of a direction and at most 52 degrees.
    plus, cross : Measured, shape (4,)
        (yy - xx) / (yy + xx) and 2 xy / (yy + xx) of the moments: 0 if round, either sign.
    fwhm : Measured, shape (4,)
        Of a Gaussian with the same moments, pixels.
    all_axis_ratio, all_angle, all_plus, all_cross : Measured
        The same of all stars together.
    images : array, shape (4, 52, 52)
        Mean star of each quadrant in quarter pixels, peak 1; NaN without stars.
    """

    stars: NDArray[np.int64]
    axis_ratio: Measured
    angle: Measured
    plus: Measured
    cross: Measured
    fwhm: Measured
    all_axis_ratio: Measured
    all_angle: Measured
    all_plus: Measured
    all_cross: Measured
    images: NDArray[np.float64]


def elongation(stamps: Stamps) -> Elongation:
    """Measure the shapes of lonely stars, per quadrant.

    Moments are weighted with a round Gaussian, whose effect is then taken out. Stars fall on
    pixels as they come; with many stars what pixels do to their shape evens out.

    Parameters
    ----------
    stamps : Stamps

    Raises
    ------
    NotFoundError
        If there are fewer than 5 stars.
    """
    if len(stamps.x) < _LEAST:
        msg = f"only {len(stamps.x)} lonely stars: choose more frames, or a field with more stars"
        raise NotFoundError(msg)
    moments, centres, good = _moments(stamps.pixels)
    where = 2 * (stamps.y // QUADRANT) + stamps.x // QUADRANT
    chosen = [good & (where == q) for q in range(4)]
    each = [_shape(moments[mask], stamps.x[mask]) for mask in chosen]
    ratio, angle, plus, cross, fwhm = (
        measured([v for v, _ in column], [e for _, e in column], unit)
        for column, unit in zip(zip(*each, strict=True), _UNITS, strict=True)
    )
    together = [
        measured(*one, unit)
        for one, unit in zip(_shape(moments[good], stamps.x[good]), _UNITS, strict=True)
    ]
    images = np.stack([_mean_image(stamps.pixels[m], centres[m]) for m in chosen])
    return Elongation(
        np.array([m.sum() for m in chosen]), ratio, angle, plus, cross, fwhm,
        together[0], together[1], together[2], together[3], images,
    )  # fmt: skip


def _moments(
    pixels: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Weighted moments (yy, xx, xy) of each stamp about its own centre, and which are usable."""
    n = len(pixels)
    cy, cx = np.zeros((n, 1, 1)), np.zeros((n, 1, 1))
    for _ in range(_TURNS):
        weight = np.exp(-((_Y - cy) ** 2 + (_X - cx) ** 2) / (2 * _WEIGHT**2)) * pixels
        total = weight.sum((1, 2), keepdims=True)
        # the weight pulls the centre back: twice the way is the better step
        cy = cy + 1.5 * (weight * (_Y - cy)).sum((1, 2), keepdims=True) / total
        cx = cx + 1.5 * (weight * (_X - cx)).sum((1, 2), keepdims=True) / total
    dy, dx = _Y - cy, _X - cx
    moments = np.stack(
        [(weight * a * b).sum((1, 2)) / total[:, 0, 0] for a, b in ((dy, dy), (dx, dx), (dy, dx))],
        axis=1,
    )
    size = moments[:, 0] + moments[:, 1]
    usual = np.nanmedian(size)
    good = np.isfinite(size) & (np.hypot(cy, cx)[:, 0, 0] < 1.0) & (size > 0)
    # a galaxy, a blend or a cosmic ray is not of the usual size
    return moments, np.stack([cy[:, 0, 0], cx[:, 0, 0]], 1), good & (np.abs(size / usual - 1) < 0.4)


def _shape(moments: NDArray[np.float64], x: NDArray[np.int64]) -> list[tuple[float, float]]:
    """Return axis ratio, angle, plus, cross and FWHM of the mean of moments, with errors.

    A star is seen in six frames, in much the same place across its pixel: what such images have in
    common is no new evidence. So the errors come from leaving out all stars of a few columns.
    """
    if len(moments) < _LEAST:
        return [(np.nan, np.nan)] * 5
    usual = _usual(moments)
    kept, (_, block) = moments[usual], np.unique(x[usual] // _COLUMNS, return_inverse=True)
    value = _unweighted(kept.mean(axis=0))
    n = int(block.max()) + 1
    if n < _LEAST:  # too few columns to tell an error
        return [(np.nan, np.nan)] * 5
    rest = [kept[block != k] for k in range(n)]
    others = np.array([_unweighted(one.mean(axis=0)) for one in rest if len(one)])
    error = np.sqrt((n - 1) / n * ((others - others.mean(0)) ** 2).sum(0))
    plus, cross, size = value
    e = float(np.hypot(plus, cross))
    e_error = float(np.hypot(plus * error[0], cross * error[1]) / max(e, 1e-9))
    ratio = np.sqrt((1 + e) / (1 - e))
    ratio_error = e_error * ratio / (1 - e**2)
    # x rises to the west: a positive cross term leans to the west
    angle = np.rad2deg(0.5 * np.arctan2(-cross, plus)) % 180
    across = float(np.hypot(cross * error[0], plus * error[1]) / max(e, 1e-9))
    angle_error = min(np.rad2deg(0.5 * across / max(e, 1e-9)), 52.0)
    fwhm = 2.3548 * np.sqrt(size / 2)
    return [
        (float(ratio), float(ratio_error)), (float(angle), float(angle_error)),
        (float(plus), float(error[0])), (float(cross), float(error[1])),
        (float(fwhm), float(2.3548**2 * error[2] / (4 * fwhm))),
    ]  # fmt: skip


def _usual(moments: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a star is within four scatters of the median in every moment."""
    middle = np.median(moments, axis=0)
    scatter = 1.4826 * np.median(np.abs(moments - middle), axis=0)
    return np.asarray((np.abs(moments - middle) <= 4 * np.maximum(scatter, 1e-6)).all(axis=1))


def _unweighted(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take out the weight, as for Gaussians; return plus, cross and yy + xx."""
    yy, xx, xy = moments
    inverse = np.linalg.inv([[yy, xy], [xy, xx]]) - np.eye(2) / _WEIGHT**2
    (yy, xy), (_, xx) = np.linalg.inv(inverse)
    return np.array([(yy - xx) / (yy + xx), 2 * xy / (yy + xx), yy + xx])


def _mean_image(pixels: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean star on a finer grid: each stamp put down where its centre says."""
    side = (2 * HALF + 1) * _FINE
    total, count = np.zeros((side, side)), np.zeros((side, side))
    for image, (cy, cx) in zip(pixels, centres, strict=True):
        fine = np.kron(image / image.sum(), np.ones((_FINE, _FINE)))
        moved = np.roll(fine, (-round(cy * _FINE), -round(cx * _FINE)), (0, 1))
        total, count = total + moved, count + 1
    mean = total / np.where(count > 0, count, np.nan)
    return np.asarray(mean / np.nanmax(mean)) if len(pixels) else mean
