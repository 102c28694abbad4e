"""How the light of a star spreads over pixels: a sum of Gaussians, each pixel its exact share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["FWHM_SIGMA", "Spread"]

#: FWHM of a Gaussian in its sigmas.
FWHM_SIGMA = math.sqrt(8 * math.log(2))
_ROOT = math.sqrt(0.5)
_PEAK = 1 / math.sqrt(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Spread:
    """A point spread function: what share of a star's light falls on each pixel.

    A sum of Gaussians along the axes, integrated over the pixels, so that it holds for frames
    whose stars are hardly wider than a pixel.

    Parameters
    ----------
    weights : array, shape (n,)
        Share of each Gaussian; their sum is 1.
    sigmas : array, shape (n, 2)
        Widths along x and y in pixels, before the pixel widens them.
    """

    weights: NDArray[np.float64]
    sigmas: NDArray[np.float64]

    @classmethod
    def gaussian(cls, fwhm: float) -> Spread:
        """Return the single Gaussian whose image has a FWHM, in pixels, the pixel included."""
        sigma = math.sqrt(max((fwhm / FWHM_SIGMA) ** 2 - 1 / 12, 0.04))
        return cls(np.ones(1), np.full((1, 2), sigma))

    @cached_property
    def fwhm(self) -> float:
        """FWHM in pixels of the image of a star in the middle of a pixel, both axes averaged."""
        place = np.linspace(0, 4 * self.sigmas[:, 0].max() + 1, 400)
        widths = []
        for axis in (0, 1):
            along = self._below(place + 0.5, axis) - self._below(place - 0.5, axis)
            across = np.diff(self._below(np.array([-0.5, 0.5]), 1 - axis), axis=0)[0]
            profile = (along * across) @ self.weights
            widths.append(2 * np.interp(-profile[0] / 2, -profile, place))
        return float(np.mean(widths))

    def _below(self, place: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        """Return the share of each Gaussian below places, last axis the Gaussians."""
        from scipy.special import erf

        return 0.5 * erf(place[..., None] * (_ROOT / self.sigmas[:, axis]))

    def _height(self, place: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        """Return the height of each Gaussian at places, last axis the Gaussians."""
        scaled = place[..., None] / self.sigmas[:, axis]
        return np.exp(-0.5 * scaled * scaled) * (_PEAK / self.sigmas[:, axis])

    def shares(
        self, x: NDArray[np.float64], y: NDArray[np.float64], half: int
    ) -> NDArray[np.float64]:
        """Return the share of each pixel of stamps of (2 half + 1) pixels squared.

        Parameters
        ----------
        x, y : array, shape (n,)
            Places of the stars relative to the middle pixels of their stamps.
        """
        edges = np.arange(-half, half + 2) - 0.5
        px = np.diff(self._below(edges - x[:, None], 0), axis=1)
        py = np.diff(self._below(edges - y[:, None], 1), axis=1) * self.weights
        return np.matmul(py, px.swapaxes(1, 2))

    def images(
        self, x: NDArray[np.float64], y: NDArray[np.float64], wide: int, near: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return wide stamps of shares; and of the inner part shares, d/dx and d/dy.

        Their shapes: (n, 2 wide + 1, 2 wide + 1) and (3, n, 2 near + 1, 2 near + 1).
        """
        edges = np.arange(-wide, wide + 2) - 0.5
        dx, dy = edges - x[:, None], edges - y[:, None]
        px = np.diff(self._below(dx, 0), axis=1).swapaxes(1, 2)
        py = np.diff(self._below(dy, 1), axis=1) * self.weights
        inner, bounds = slice(wide - near, wide + near + 1), slice(wide - near, wide + near + 2)
        # a star that moves up by a little takes light from the lower edge to the upper
        sx = -np.diff(self._height(dx[:, bounds], 0), axis=1).swapaxes(1, 2)
        sy = -np.diff(self._height(dy[:, bounds], 1), axis=1) * self.weights
        shares = np.matmul(py, px)
        slopes = (np.matmul(py[:, inner], sx), np.matmul(sy, px[:, :, inner]))
        return shares, np.stack([shares[:, inner, inner], *slopes])
