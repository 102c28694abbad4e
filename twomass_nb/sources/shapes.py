"""How wide the stars of a picture are: a `Spread` measured on its bright, lonely ones."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .fitting import Stars
from .spread import Spread

__all__ = ["measured_spread"]

# Sigmas of the Gaussians that a spread is made of, in that of the nominal one: cores in all
# pairs along x and y, and wings.
_CORES, _WINGS = (0.8, 1.0, 1.25), (1.7, 2.6)
#: Fewest stars to measure it on, and most.
_FEWEST, _MOST = 4, 40
_SNR = 25.0
#: Share of a star's light that its neighbours may have together, and how far they are looked for.
_NEIGHBOUR, _APART = 0.2, 3.0
#: Share of a star's pixels that must be good.
_WHOLE = 0.9
# Pixels off by more than so many sigmas are left out; a sigma is noise and this share of the star.
_CLIP, _SHARE = 4.0, 0.02


def measured_spread(stars: Stars, nominal: Spread) -> Spread:
    """Return the spread of a picture's stars; the nominal one if too few are bright and lonely.

    Parameters
    ----------
    stars : Stars
        As the nominal spread fits them.
    nominal : Spread
        About the right width.
    """
    chosen = _lonely(stars)
    if len(chosen) < _FEWEST:
        return nominal
    pixels, weight = stars.alone(nominal, chosen)
    # a star that is hurt in its middle shows no shape
    whole = (weight[:, stars.wide, stars.wide] > 0) & (np.mean(weight > 0, axis=(1, 2)) > _WHOLE)
    if whole.sum() < _FEWEST:
        return nominal
    chosen, pixels, weight = chosen[whole][:_MOST], pixels[whole][:_MOST], weight[whole][:_MOST]
    return _mixture(pixels, weight, stars, chosen, nominal)


def _lonely(stars: Stars) -> NDArray[np.int64]:
    """Return which stars are bright and have no neighbours that matter, the brightest first."""
    from scipy.spatial import cKDTree

    places = np.stack([stars.x, stars.y], axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bright = np.flatnonzero(stars.settled & (stars.flux > _SNR * stars.errors[:, 0]))
    bright = bright[np.argsort(-stars.flux[bright], kind="stable")][: 4 * _MOST]
    near = cKDTree(places).query_ball_point(places[bright], _APART * stars.fwhm)
    return np.array(
        [
            i
            for i, others in zip(bright, near, strict=True)
            if np.sum(stars.flux[others]) < (1 + _NEIGHBOUR) * stars.flux[i]
        ],
        np.int64,
    )


def _mixture(
    pixels: NDArray[np.float64], weight: NDArray[np.float64], stars: Stars,
    chosen: NDArray[np.int64], nominal: Spread,
) -> Spread:  # fmt: skip
    """Return the mixture that the stars' pixels are best made of, each star with its own sky."""
    from scipy.optimize import nnls

    base = nominal.sigmas[0, 0]
    pairs = [*itertools.product(_CORES, _CORES), *((wing, wing) for wing in _WINGS)]
    sigmas = base * np.array(pairs)
    dx, dy = (stars.x - stars.px)[chosen], (stars.y - stars.py)[chosen]
    flux = stars.flux[chosen, None, None]
    parts = [flux * Spread(np.ones(1), one[None]).shares(dx, dy, stars.wide) for one in sigmas]
    n = len(pixels)
    design = np.stack(parts, axis=-1).reshape(n, -1, len(sigmas))
    target, weight = pixels.reshape(n, -1), weight.reshape(n, -1)
    model = design.mean(axis=-1)
    weight = weight / (1 + weight * (_SHARE * model) ** 2)
    for _ in range(2):
        total = weight.sum(axis=1, keepdims=True)
        middle = (weight[..., None] * design).sum(axis=1) / total
        level = (weight * target).sum(axis=1) / total[:, 0]
        root = np.sqrt(weight)
        a = (root[..., None] * (design - middle[:, None])).reshape(-1, len(sigmas))
        b = (root * (target - level[:, None])).ravel()
        shares, _ = nnls(a.T @ a, a.T @ b)
        off = root * (target - level[:, None] - (design - middle[:, None]) @ shares)
        weight = np.where(np.abs(off) > _CLIP, 0, weight)
    used = shares > 1e-4 * shares.sum()
    return Spread(shares[used] / shares[used].sum(), sigmas[used])
