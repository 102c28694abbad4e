"""All stars of a picture fitted at once: fluxes and places, neighbours taken off each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .spread import Spread

__all__ = ["Stars"]

# Half widths of stamps in FWHM: where stars are fitted, and where their light is taken off others.
_NEAR, _WIDE = 1.1, 3.0
# Neighbours take from the same light: full steps of all at once would overshoot.
_STEP = 0.85
_LEAP = 0.5  # pixels, the longest step
# In FWHM: steps of a star that has settled, how far it may be from its brightest pixel, and where
# the ring begins in which its sky is measured.
_SETTLED, _WANDER, _SKY_FROM = 0.02, 1.0, 1.6
_SKY_EVERY = 3  # turns
#: Stars closer than this are one, FWHM.
_SAME = 0.6


class Stars:
    """The stars of a picture and what is known of them, better with every turn of the fit.

    Parameters
    ----------
    data : array, shape (rows, columns)
        Above the background.
    weight : array
        1 / noise squared of each pixel; 0 where it is not good.
    px, py : array of int
        The brightest pixels of the stars.
    fwhm : float
        Of their images, pixels.
    gain : float, optional
        Electrons a DN: photons of the stars then add to the noise.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def __init__(
        self, data: NDArray[np.float32], weight: NDArray[np.float32], px: NDArray[np.int64],
        py: NDArray[np.int64], fwhm: float, gain: float | None = None,
    ) -> None:  # fmt: skip
        self.px, self.py, self.fwhm, self.gain = px, py, fwhm, gain
        self.shape, self.good = data.shape, weight > 0
        self.near, self.wide = max(2, round(_NEAR * fwhm)), max(4, round(_WIDE * fwhm))
        # with room around it stamps never leave the picture
        room = ((self.wide, self.wide),) * 2
        self._weight = np.pad(weight, room).ravel()
        self._picture = np.pad(data, room).ravel()
        self._width = data.shape[1] + 2 * self.wide
        k = np.arange(-self.wide, self.wide + 1)
        corner = (py + self.wide) * self._width + px + self.wide
        self._around = corner[:, None, None] + k[:, None] * self._width + k
        inner = slice(self.wide - self.near, self.wide + self.near + 1)
        self._at = self._around[:, inner, inner]
        self._ring = self._around[:, np.hypot(k[:, None], k) > _SKY_FROM * fwhm]
        self.x, self.y = px.astype(float), py.astype(float)
        self.flux, self.sky, self.moved = (np.zeros(len(px)) for _ in range(3))
        self.covariance, self.misfit = np.zeros((len(px), 3, 3)), np.ones(len(px))

    def fit(self, spread: Spread, turns: int) -> None:
        """Fit fluxes and places of all stars, the neighbours' light taken off each."""
        weight = self._weight[self._at]
        for turn in range(turns):
            shares, shape = spread.images(self.x - self.px, self.y - self.py, self.wide, self.near)
            rest = self._picture - self._painted(shares)
            if turn % _SKY_EVERY == _SKY_EVERY - 1:
                self.sky = _medians(rest[self._ring], self._weight[self._ring] > 0)
            used = weight
            if self.gain:
                photons = np.maximum(self.flux, 0)[:, None, None] * shape[0] / self.gain
                used = weight / (1 + weight * photons)
            step, self.covariance, self.misfit = _step(
                shape, used, rest[self._at] - self.sky[:, None, None], self.flux
            )
            self.flux = self.flux + step[:, 0]
            shift = np.clip(_STEP * step[:, 1:], -_LEAP, _LEAP)
            self.x, self.y = self.x + shift[:, 0], self.y + shift[:, 1]
            self.moved = np.abs(shift).max(axis=1, initial=0.0)

    def _painted(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the light of all stars in all pixels."""
        light = self.flux[:, None, None] * shares
        return np.bincount(self._around.ravel(), light.ravel(), self._picture.size).astype(float)

    def alone(
        self, spread: Spread, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return stamps of some stars with all others taken off, and the weights of pixels."""
        shares, _ = spread.images(self.x - self.px, self.y - self.py, self.wide, self.near)
        rest = self._picture - self._painted(shares)
        at = self._around[chosen]
        own = self.flux[chosen, None, None] * shares[chosen]
        return rest[at] + own, self._weight[at].astype(float)

    def removed(self, spread: Spread) -> NDArray[np.float32]:
        """Return the picture without its stars."""
        shares, _ = spread.images(self.x - self.px, self.y - self.py, self.wide, self.near)
        rest = (self._picture - self._painted(shares)).reshape(-1, self._width)
        inner = slice(self.wide, -self.wide)
        return rest[inner, inner].astype(np.float32)

    def weight_at(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weights of the middle pixels of some stars."""
        middle = self._around[chosen, self.wide, self.wide]
        return self._weight[middle].astype(float)

    @property
    def errors(self) -> NDArray[np.float64]:
        """Standard deviations of flux, x and y, shape (n, 3)."""
        variance = np.diagonal(self.covariance, axis1=1, axis2=2)
        # of a star without good pixels nothing is known
        return np.where(variance > 0, np.sqrt(np.maximum(variance, 0)), np.inf)

    def distinct(self) -> NDArray[np.bool_]:
        """Return which stars are not fainter ones in the place of another.

        A hole in a star's middle leaves peaks around it, all of which are that star.
        """
        from scipy.spatial import cKDTree

        tree = cKDTree(np.stack([self.x, self.y], axis=-1))
        distinct = np.ones(len(self.x), bool)
        for a, b in tree.query_pairs(_SAME * self.fwhm):
            distinct[a if self.flux[a] < self.flux[b] else b] = False
        return distinct

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Which stars have come to rest."""
        return self.moved < _SETTLED * self.fwhm

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which peaks were none: all their light is another's, or they have wandered off to it."""
        away = np.hypot(self.x - self.px, self.y - self.py)
        return (away > _WANDER * self.fwhm) | (self.flux <= 0)


def _medians(values: NDArray[np.float64], good: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the median of each row's good values; 0 where there are none."""
    count = good.sum(axis=1)
    ordered = np.sort(np.where(good, values, np.inf), axis=1)
    middle = ordered[np.arange(len(values)), np.maximum(count - 1, 0) // 2]
    return np.where(count > 0, middle, 0.0)


def _step(
    shape: NDArray[np.float64], weight: NDArray[np.float64], rest: NDArray[np.float64],
    flux: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return each star's step in flux, x and y, the covariance of the three, and chi squared.

    Chi squared is that after the step, for each degree of freedom.

    Steps in place are held back as if they were known to be about 0 within a pixel: of stars
    that the noise hides nothing else keeps them.
    """
    n = len(flux)
    slopes = shape.reshape(3, n, -1).copy()
    slopes[1:] *= flux[:, None]
    weighted = slopes * weight.reshape(n, -1)
    normal = np.einsum("ink,jnk->nij", weighted, slopes)
    rest, weight = rest.reshape(n, -1), weight.reshape(n, -1)
    right = np.einsum("ink,nk->ni", weighted, rest)
    normal[:, [0, 1, 2], [0, 1, 2]] += [1e-30, 1.0, 1.0]
    covariance = np.linalg.inv(normal)
    step = np.einsum("nij,nj->ni", covariance, right)
    chi2 = np.einsum("nk,nk,nk->n", weight, rest, rest) - (step * right).sum(axis=1)
    return step, covariance, chi2 / np.maximum((weight > 0).sum(axis=1) - 3, 1)
