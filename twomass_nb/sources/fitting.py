"""All stars of a picture fitted at once: fluxes and places, neighbours taken off each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .spread import Spread

__all__ = ["Fit", "fit_stars", "stamps"]

_ROUNDS = 8
# Neighbours take from the same light: full steps of all at once would overshoot.
_STEP = 0.85
_LEAP = 0.5  # pixels, the longest step
# In FWHM: steps of a star that has settled, how far it may be from its brightest pixel, and where
# the ring begins in which its sky is measured.
_SETTLED, _WANDER, _SKY_FROM = 0.02, 1.0, 1.6
_SKY_TURNS = (2, 5)


@dataclass
class Fit:
    """Stars as fitted; arrays of one value a star.

    Attributes
    ----------
    x, y : array
        Pixels from 0.
    flux, flux_error : array
        Sums over the whole spread.
    place_error : array
        Standard deviation of x and of y, pixels.
    sky : array
        Level under each star that the background had not taken.
    settled : array of bool
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_error: NDArray[np.float64]
    place_error: NDArray[np.float64]
    sky: NDArray[np.float64]
    settled: NDArray[np.bool_]


def stamps(x: NDArray[np.int64], y: NDArray[np.int64], half: int, width: int) -> NDArray[np.int64]:
    """Return flat indices of stamps about pixels of a picture `width` wide, shape (n, m, m)."""
    k = np.arange(-half, half + 1)
    return (y[:, None, None] + k[:, None]) * width + x[:, None, None] + k


class _Padded:
    """A picture with room around it, so that stamps never leave it."""

    def __init__(self, shape: tuple[int, int], room: int) -> None:
        self.room, self.width = room, shape[1] + 2 * room
        self.shape = (shape[0] + 2 * room, self.width)

    def fill(self, picture: NDArray) -> NDArray[np.float64]:
        out = np.zeros(self.shape)
        out[self.room : -self.room, self.room : -self.room] = picture
        return out.ravel()

    def stamps(self, px: NDArray[np.int64], py: NDArray[np.int64], half: int) -> NDArray[np.int64]:
        return stamps(px + self.room, py + self.room, half, self.width)


def fit_stars(
    data: NDArray[np.float32], weight: NDArray[np.float32], px: NDArray[np.int64],
    py: NDArray[np.int64], spread: Spread, gain: float | None = None, start: Fit | None = None,
) -> Fit:  # fmt: skip
    """Fit stars near pixels (px, py).

    Parameters
    ----------
    data : array, shape (rows, columns)
        Above the background.
    weight : array
        1 / noise squared of each pixel; 0 where it is not good.
    px, py : array of int
        The brightest pixels of the stars.
    spread : Spread
    gain : float, optional
        Electrons a DN: photons of the stars then add to the noise.
    """
    fwhm = spread.fwhm
    half, wide = max(2, round(1.1 * fwhm)), max(4, round(3 * fwhm))
    grid = _Padded(data.shape, wide + 1)
    weights = grid.fill(weight)
    picture = np.where(weights > 0, grid.fill(data), 0)
    near, around = grid.stamps(px, py, half), grid.stamps(px, py, wide)
    ring = around[:, _ring(wide, _SKY_FROM * fwhm)]
    own_weight, ring_good = weights[near], weights[ring] > 0
    x, y = px.astype(float), py.astype(float)
    flux, sky, moved = (np.zeros(len(px)) for _ in range(3))
    for turn in range(_ROUNDS):
        shape = spread.shares_and_slopes(x - px, y - py, half)
        rest = picture - _painted(spread, x - px, y - py, flux, around, wide, picture.size)
        if turn in _SKY_TURNS:
            sky = _medians(rest[ring], ring_good)
        used = own_weight
        if gain:
            photons = np.maximum(flux, 0)[:, None, None] * shape[0] / gain
            used = own_weight / (1 + own_weight * photons)
        step, covariance = _step(shape, used, rest[near] - sky[:, None, None], flux)
        flux = flux + (_STEP if turn else 1.0) * step[:, 0]
        shift = np.clip(_STEP * step[:, 1:], -_LEAP, _LEAP)
        x, y, moved = x + shift[:, 0], y + shift[:, 1], np.abs(shift).max(axis=1)
    lost = (moved > _SETTLED * fwhm) | (np.hypot(x - px, y - py) > _WANDER * fwhm) | (flux <= 0)
    errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    place_error = np.hypot(errors[:, 1], errors[:, 2]) / np.sqrt(2)
    return Fit(x, y, flux, errors[:, 0], place_error, sky, ~lost)


def _ring(half: int, inner: float) -> NDArray[np.bool_]:
    k = np.arange(-half, half + 1)
    distance = np.hypot(k[:, None], k)
    return (distance > inner) & (distance <= half + 0.5)


def _painted(
    spread: Spread, dx: NDArray[np.float64], dy: NDArray[np.float64], flux: NDArray[np.float64],
    around: NDArray[np.int64], half: int, size: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the stars' light in all pixels of the picture."""
    light = flux[:, None, None] * spread.shares(dx, dy, half)
    return np.bincount(around.ravel(), light.ravel(), size).astype(float)


def _medians(values: NDArray[np.float64], good: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the median of each row's good values; 0 where there are none."""
    count = good.sum(axis=1)
    ordered = np.sort(np.where(good, values, np.inf), axis=1)
    middle = ordered[np.arange(len(values)), np.maximum(count - 1, 0) // 2]
    return np.where(count > 0, middle, 0.0)


def _step(
    shape: NDArray[np.float64], weight: NDArray[np.float64], rest: NDArray[np.float64],
    flux: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return each star's step in flux, x and y, and the covariance of the three.

    Steps in place are held back as if they were known to be about 0 within a pixel: of stars
    that the noise hides nothing else keeps them.
    """
    n = len(flux)
    slopes = shape.reshape(3, n, -1).copy()
    slopes[1:] *= flux[:, None]
    weighted = slopes * weight.reshape(n, -1)
    normal = np.einsum("ink,jnk->nij", weighted, slopes)
    right = np.einsum("ink,nk->ni", weighted, rest.reshape(n, -1))
    normal[:, [0, 1, 2], [0, 1, 2]] += [1e-30, 1.0, 1.0]
    covariance = np.linalg.inv(normal)
    return np.einsum("nij,nj->ni", covariance, right), covariance
