"""How much light stars have beyond what their fitted spread says: the aperture correction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .fitting import Stars
from .shapes import lonely
from .spread import Spread

__all__ = ["APERTURE", "aperture_correction"]

#: Radius of the aperture that holds a star's light, 10 arcsec in a coadd, and the ring in which
#: its sky is measured; FWHM.
APERTURE, _RING = 3.4, (4.5, 7.0)
#: What is known of the correction before: 1, give or take this much. Chosen: so much Atlas Images
#: of 2000-10-22 s 62 differ from 1, and so much do single bright stars of theirs from each other.
_PRIOR = 0.02
_CLIP = 3.0


def aperture_correction(stars: Stars, spread: Spread) -> tuple[float, float, int]:
    """Return light in a wide aperture over fitted flux, its error and the number of stars.

    Bright stars without neighbours are summed in an aperture, all others taken off. Where they
    are few or faint the correction stays near 1.

    Parameters
    ----------
    stars : Stars
        Fitted.
    spread : Spread
        With which they were.
    """
    chosen = lonely(stars)
    half = int(np.ceil(_RING[1] * spread.fwhm))
    inside = (
        (stars.px >= half) & (stars.py >= half)
        & (stars.px < stars.shape[1] - half) & (stars.py < stars.shape[0] - half)
    )  # fmt: skip
    chosen = chosen[inside[chosen]]
    rest, good = stars.removed(spread), stars.good
    k = np.arange(-half, half + 1)
    y, x = stars.py[chosen, None, None] + k[:, None], stars.px[chosen, None, None] + k
    light, usable = rest[y, x].astype(float), good[y, x]
    place_x, place_y = stars.x[chosen, None, None], stars.y[chosen, None, None]
    distance = np.hypot(x - place_x, y - place_y) / spread.fwhm
    aperture = distance < APERTURE
    ring = (distance > _RING[0]) & (distance < _RING[1]) & usable
    whole = (usable | ~aperture).all(axis=(1, 2)) & (ring.sum(axis=(1, 2)) > half)
    chosen, light, aperture, ring = chosen[whole], light[whole], aperture[whole], ring[whole]
    if not len(chosen):
        return 1.0, _PRIOR, 0

    sky = np.nanmedian(np.where(ring, light, np.nan), axis=(1, 2), keepdims=True)
    beyond = np.where(aperture, light - sky, 0).sum(axis=(1, 2)) / stars.flux[chosen]
    # what the spread puts beyond the aperture is not in it
    share = spread.shares(np.zeros(1), np.zeros(1), half)[0]
    beyond += share[np.hypot(k[:, None], k) < APERTURE * spread.fwhm].sum() - 1
    variance = _PRIOR**2 + aperture.sum(axis=(1, 2)) / (
        stars.weight_at(chosen) * stars.flux[chosen] ** 2
    )
    return _robust(1 + beyond, variance)


def _robust(values: NDArray[np.float64], variance: NDArray[np.float64]) -> tuple[float, float, int]:
    """Return the clipped mean, with what was known before, its error and how many were used."""
    kept = np.ones(len(values), bool)
    for _ in range(4):
        middle = np.median(values[kept])
        kept = np.abs(values - middle) < _CLIP * np.sqrt(variance)
        if not kept.any():
            return 1.0, _PRIOR, 0
    weight = 1 / variance[kept]
    total = weight.sum() + _PRIOR**-2
    return (
        float(((weight * values[kept]).sum() + _PRIOR**-2) / total),
        float(total**-0.5),
        int(kept.sum()),
    )
