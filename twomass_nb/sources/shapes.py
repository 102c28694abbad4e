"""How wide the stars of a picture are: a `Spread` measured on its bright, lonely ones."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .fitting import Stars
from .spread import Spread

__all__ = ["lonely", "measured_spread"]

# Sigmas of the Gaussians that a spread is made of, in that of the nominal one: cores, round and a
# little longer along x or y, and round wings.
_CORES, _WINGS = (0.8, 0.9, 1.0, 1.12, 1.25), (1.6, 2.0, 2.6)
_PAIRS = [(one, one) for one in (*_CORES, *_WINGS)]
_PAIRS += [pair for a, b in itertools.pairwise(_CORES) for pair in ((a, b), (b, a))]
_ROUNDS = 3
#: Fewest stars to measure it on, and most.
_FEWEST, _MOST = 4, 25
_SNR = 25.0
#: Share of a star's light that its neighbours may have together, and how far they are looked for.
_NEIGHBOUR, _APART = 0.2, 3.0
#: Share of a star's pixels that must be good.
_WHOLE = 0.9
#: Least share of a Gaussian.
_LEAST = 1e-3
# Pixels off by more than so many sigmas are left out; a sigma is noise and this share of the star.
_CLIP, _SHARE = 4.0, 0.02
_NOTHING = 1e-30  # weight of a star whose pixels are all left out


def measured_spread(stars: Stars, nominal: Spread) -> Spread:
    """Return the spread of a picture's stars; the nominal one if too few are bright and lonely.

    Parameters
    ----------
    stars : Stars
        As the nominal spread fits them.
    nominal : Spread
        About the right width.
    """
    chosen = lonely(stars)
    if len(chosen) < _FEWEST:
        return nominal
    pixels, weight = stars.alone(nominal, chosen)
    # a star that is hurt in its middle shows no shape
    whole = (weight[:, stars.wide, stars.wide] > 0) & (np.mean(weight > 0, axis=(1, 2)) > _WHOLE)
    if whole.sum() < _FEWEST:
        return nominal
    chosen, pixels, weight = chosen[whole][:_MOST], pixels[whole][:_MOST], weight[whole][:_MOST]
    return _mixture(pixels, weight, stars, chosen, nominal)


def lonely(stars: Stars) -> NDArray[np.int64]:
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
    sigmas = nominal.sigmas[0, 0] * np.array(_PAIRS)
    dx, dy = stars.x[chosen] - stars.px[chosen], stars.y[chosen] - stars.py[chosen]
    n, k = len(chosen), len(sigmas)
    parts = np.stack(
        [Spread(np.ones(1), one[None]).shares(dx, dy, stars.wide) for one in sigmas], axis=-1
    ).reshape(n, -1, k)
    pixels, weight, flux = pixels.reshape(n, -1), weight.reshape(n, -1), stars.flux[chosen]
    shares = np.zeros(k)
    shares[_PAIRS.index((1.0, 1.0))] = 1
    for _ in range(_ROUNDS):
        used = weight / (1 + weight * (_SHARE * flux[:, None] * (parts @ shares)) ** 2)
        total = np.maximum(used.sum(axis=1), _NOTHING)
        # each star has a sky of its own
        design = parts - (np.einsum("np,npk->nk", used, parts) / total[:, None])[:, None]
        target = pixels - (np.einsum("np,np->n", used, pixels) / total)[:, None]
        root = np.sqrt(used)
        a = ((root * flux[:, None])[..., None] * design).reshape(-1, k)
        shares = _not_negative(a, (root * target).ravel())
        model = design @ shares
        flux = (used * target * model).sum(axis=1)
        flux /= np.maximum((used * model**2).sum(axis=1), _NOTHING)
        weight = np.where(root * np.abs(target - flux[:, None] * model) > _CLIP, 0, weight)
    kept = shares > _LEAST * shares.sum()
    return Spread(shares[kept] / shares[kept].sum(), sigmas[kept])


def _not_negative(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least-squares solution that has no negative part."""
    from scipy.optimize import nnls

    normal = a.T @ a
    normal[np.diag_indices(len(normal))] += 1e-10 * np.trace(normal)
    lower = np.linalg.cholesky(normal)
    shares: NDArray[np.float64] = nnls(lower.T, np.linalg.solve(lower, a.T @ b))[0]
    return shares
