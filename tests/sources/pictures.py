"""Pictures whose stars are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twomass_nb.simulate.sky import render_stars

#: Scale (arcsec a pixel), further blur (arcsec) and FWHM (pixels) of frames and of coadds.
FRAME, COADD = (1.98, 0.0, 1.4), (1.0, 1.6, 3.0)
#: The painted spread lacks its aureole, so that much light is in its Gaussians.
SHARE = 0.99


@dataclass
class Picture:
    """A picture and the truth of it."""

    data: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    flux: NDArray[np.float64]
    noise: float
    fwhm: float

    def match(self, found, within=1.0):
        """Return indices of true stars and of those found, each the other's nearest."""
        distance, i = cKDTree(np.c_[found["x"], found["y"]]).query(np.c_[self.x, self.y])
        near = np.flatnonzero(distance < within * self.fwhm)
        return near, i[near]


def grid(kind, fluxes, noise, shape=(256, 256), cell=28, seed=0, within=False, level=400.0):
    """Stars far from each other, at any place within a pixel."""
    rng = np.random.default_rng(seed)
    y, x = (
        one.ravel() + rng.uniform(-3, 3, one.size)
        for one in np.mgrid[cell // 2 : shape[0] - 8 : cell, cell // 2 : shape[1] - 8 : cell]
    )
    flux = np.resize(np.asarray(fluxes, float), len(x)) * rng.uniform(0.9, 1.1, len(x))
    return paint(kind, x, y, flux, noise, shape, seed, within, level)


def paint(kind, x, y, flux, noise, shape, seed=0, within=False, level=400.0):
    """Stars where they are told to be."""
    scale, blur, fwhm = kind
    rng = np.random.default_rng([seed, 1])
    data = render_stars(shape, x, y, flux, scale, blur=blur, within=within)
    data = data + level + noise * rng.standard_normal(shape)
    return Picture(data, np.asarray(x), np.asarray(y), SHARE * np.asarray(flux), noise, fwhm)
