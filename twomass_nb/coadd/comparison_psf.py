"""How wide stars are in an image, and which blur makes those of one as wide as of another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Blur",
    "Stars",
    "blurred",
    "centroids",
    "fwhm",
    "gather",
    "matching",
    "widths",
    "window",
]

_HALF = 12  # pixels from the middle of a stamp to its edge
_RING = (9.0, 12.0)  # radii between which the level around a star is taken
_NORM = 4.5  # radius that a star's light is summed in before stars are put together
_WINDOW = 1.6  # sigma of the window of centroids, pixels: about that of the stars
_ROUNDS, _SETTLED = 25, 1e-5
_JACKKNIFE = 6  # groups of stars whose leaving out shows the error of a width
_TO_SIGMA = 8 * np.log(2)  # FWHM squared of a Gaussian over its variance


@dataclass(frozen=True, eq=False)
class Stars:
    """Pixels around stars, their level taken off.

    Attributes
    ----------
    stamps : array, shape (n, 25, 25)
    x, y : array
        The star in its stamp, pixels from the middle one.
    level : array
        Median of the ring around each star.
    """

    stamps: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    level: NDArray[np.float64]


def _axes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.mgrid[-_HALF : _HALF + 1, -_HALF : _HALF + 1].astype(float)
    return x, y


def gather(data: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any]) -> Stars:
    """Cut the pixels around places out of an image; what is not there is NaN."""
    px, py = np.rint(x).astype(int), np.rint(y).astype(int)
    padded = np.pad(data, _HALF, constant_values=np.nan)
    k = np.arange(2 * _HALF + 1)
    stamps = padded[py[:, None, None] + k[:, None], px[:, None, None] + k]
    ax, ay = _axes()
    radius = np.hypot(ax, ay)
    around = stamps[:, (radius >= _RING[0]) & (radius <= _RING[1])]
    filled = np.where(np.isfinite(around).any(axis=1)[:, None], around, 0.0)
    level = np.nanmedian(filled, axis=1) if len(filled) else np.zeros(0)
    return Stars(stamps - level[:, None, None], x - px, y - py, level)


def window() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the window of centroids at the middle of a stamp, and times x."""
    ax, ay = _axes()
    seen = np.exp(-(ax**2 + ay**2) / (2 * _WINDOW**2))
    return seen, seen * ax


def centroids(stars: Stars) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where stars are, by a Gaussian window that follows them; NaN if it does not settle.

    Returns
    -------
    x, y : array
        Pixels from the middle pixel of each stamp.
    """
    ax, ay = _axes()
    light = np.nan_to_num(stars.stamps)
    x, y = stars.x.copy(), stars.y.copy()
    step = np.full(len(x), np.inf)
    for _ in range(_ROUNDS):
        dx, dy = ax - x[:, None, None], ay - y[:, None, None]
        seen = light * np.exp(-(dx**2 + dy**2) / (2 * _WINDOW**2))
        total = seen.sum(axis=(1, 2))
        total = np.where(total > 0, total, np.nan)
        # the window halves what a star as wide as it is moves
        sx, sy = (2 * (seen * d).sum(axis=(1, 2)) / total for d in (dx, dy))
        step = np.hypot(sx, sy)
        x, y = x + np.clip(sx, -1, 1), y + np.clip(sy, -1, 1)
        if np.nanmax(step, initial=0) < _SETTLED:
            break
    lost = ~(step < 100 * _SETTLED) | (np.hypot(x - stars.x, y - stars.y) > 2)
    return np.where(lost, np.nan, x), np.where(lost, np.nan, y)


def _centred(stars: Stars) -> NDArray[np.float64]:
    """Return the stars moved to the middles of their stamps, their light made the same."""
    from scipy.ndimage import shift

    ax, ay = _axes()
    inner = np.hypot(ax, ay) < _NORM
    x, y = centroids(stars)
    moved = []
    for stamp, dx, dy in zip(stars.stamps, x, y, strict=True):
        if np.isfinite(dx) and np.isfinite(stamp).all():
            one = shift(stamp, (-dy, -dx), order=3, mode="nearest")
            moved.append(one / one[inner].sum())
    return np.array(moved).reshape(-1, *ax.shape)


def widths(stars: Stars) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean star, its FWHM along x and y, and the errors of those (jackknife), pixels.

    NaN if there are less than two stars.
    """
    each = _centred(stars)
    if len(each) < 2:
        nothing = np.full(2, np.nan)
        return np.full(stars.stamps.shape[1:], np.nan), nothing, nothing
    mean = np.median(each, axis=0)
    n = min(_JACKKNIFE, len(each))
    left = np.array([fwhm(np.median(np.delete(each, np.s_[k::n], 0), axis=0)) for k in range(n)])
    error = np.sqrt((n - 1) / n * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    return mean, fwhm(mean), error


def fwhm(star: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the FWHM of a star along x and y, pixels: of a Moffat profile fitted to it."""
    from scipy.optimize import least_squares

    ax, ay = _axes()

    def miss(terms: NDArray[np.float64]) -> NDArray[np.float64]:
        height, x, y, wide_x, wide_y, beta, level = terms
        radius = ((ax - x) / wide_x) ** 2 + ((ay - y) / wide_y) ** 2
        return (height * (1 + radius) ** -beta + level - star).ravel()

    peak = star.max()
    low = [0, -2, -2, 0.3, 0.3, 1.0, -peak]
    high = [10 * peak, 2, 2, 60, 60, 60, peak]
    found = least_squares(miss, [peak, 0, 0, 3, 3, 3, 0], bounds=(low, high), x_scale="jac").x
    return np.asarray(2 * found[3:5] * np.sqrt(2 ** (1 / found[5]) - 1))


@dataclass(frozen=True)
class Blur:
    """The Gaussians that make stars equally wide in both images.

    Attributes
    ----------
    real, ours : (float, float)
        Sigma along x and y in pixels; 0 where nothing is blurred.
    residual : float
        Largest difference of the mean stars then, in units of the peak.
    """

    real: tuple[float, float]
    ours: tuple[float, float]
    residual: float


def matching(real: NDArray[np.float64], ours: NDArray[np.float64], start: Any) -> Blur:
    """Find the blur from the mean stars of both images.

    Parameters
    ----------
    real, ours : array, shape (25, 25)
    start : array, shape (2,)
        By how much the squared FWHM of ours is larger along x and y: where the search begins.
    """
    from scipy.optimize import least_squares

    if not (np.isfinite(real).all() and np.isfinite(ours).all()):
        return Blur((0.0, 0.0), (0.0, 0.0), np.nan)

    def miss(terms: NDArray[np.float64]) -> NDArray[np.float64]:
        here, there = _sigmas(terms[:2])
        return (terms[2] * blurred(real, here) - blurred(ours, there)).ravel()

    first = [*(np.asarray(start) / _TO_SIGMA), 1.0]
    # the kernel is made of whole pixels: a step must be larger than the least change of it
    found = least_squares(miss, first, diff_step=0.01, x_scale=[1, 1, 0.1])
    here, there = _sigmas(found.x[:2])
    return Blur(here, there, float(np.abs(found.fun).max() / ours.max()))


def _sigmas(variances: NDArray[np.float64]) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = (float(v) for v in variances)
    here = math.sqrt(max(x, 0.0)), math.sqrt(max(y, 0.0))
    return here, (math.sqrt(max(-x, 0.0)), math.sqrt(max(-y, 0.0)))


def blurred(data: NDArray[np.float64], sigma: tuple[float, float]) -> NDArray[np.float64]:
    """Blur an image by a Gaussian of sigma along x and y; NaN stays where it is."""
    from scipy.ndimage import gaussian_filter

    good = np.isfinite(data)
    level = float(np.median(data[good])) if good.any() else 0.0
    wide = (sigma[1], sigma[0])
    light = gaussian_filter(np.where(good, data - level, 0.0), wide, mode="nearest")
    if not good.all():
        light /= np.maximum(gaussian_filter(good.astype(float), wide, mode="nearest"), 1e-3)
    return np.where(good, light + level, np.nan)
