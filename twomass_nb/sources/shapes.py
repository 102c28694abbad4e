"""How wide the stars of a picture are: a `Spread` measured on its bright, lonely ones."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .fitting import Fit, fit_stars, stamps
from .spread import Spread

__all__ = ["measured_spread"]

# Sigmas of the Gaussians that a spread is made of, in that of the nominal one: cores in all
# pairs along x and y, and wings.
_CORES, _WINGS = (0.8, 1.0, 1.25), (1.7, 2.6)
#: Fewest stars to measure it on, and most.
_FEWEST, _MOST = 4, 40
_SNR = 25.0
#: Part of a star's height that its neighbours may have.
_NEIGHBOUR = 0.05
_ROUNDS = 2
_HALF = 3.0  # of the stamps, in FWHM
# Pixels off by more than so many sigmas are left out; a sigma is noise and this share of the star.
_CLIP, _SHARE = 4.0, 0.02


def measured_spread(
    data: NDArray[np.float32], weight: NDArray[np.float32], px: NDArray[np.int64],
    py: NDArray[np.int64], nominal: Spread,
) -> Spread:  # fmt: skip
    """Return the spread of a picture's stars; the nominal one if too few are bright and lonely.

    Parameters
    ----------
    data, weight : array, shape (rows, columns)
        Above the background; 1 / noise squared, 0 where a pixel is not good.
    px, py : array of int
        Brightest pixels of the stars.
    nominal : Spread
        About the right width.
    """
    half = max(4, round(_HALF * nominal.fwhm))
    lonely = _lonely(data, weight, px, py, half)
    if len(lonely) < _FEWEST:
        return nominal
    px, py = px[lonely], py[lonely]
    at = stamps(px, py, half, data.shape[1])
    pixels, good = data.ravel()[at], weight.ravel()[at]
    spread = nominal
    for _ in range(_ROUNDS):
        fit = fit_stars(data, weight, px, py, spread)
        spread = _mixture(pixels, good, fit, fit.x - px, fit.y - py, nominal, half)
    return spread


def _lonely(
    data: NDArray[np.float32], weight: NDArray[np.float32], px: NDArray[np.int64],
    py: NDArray[np.int64], half: int,
) -> NDArray[np.int64]:  # fmt: skip
    """Return which stars are bright, whole, and have no neighbours that matter."""
    from scipy.spatial import cKDTree

    height = data[py, px]
    rows, columns = data.shape
    inside = (px >= half) & (py >= half) & (px < columns - half) & (py < rows - half)
    bright = np.flatnonzero(inside & (height**2 * weight[py, px] > (_SNR / 2) ** 2))
    bright = bright[np.argsort(-height[bright], kind="stable")][: 4 * _MOST]
    core = stamps(px[bright], py[bright], 1, columns)
    bright = bright[(weight.ravel()[core] > 0).all(axis=(1, 2))]
    tree = cKDTree(np.stack([px, py], axis=-1))
    near = tree.query_ball_point(np.stack([px[bright], py[bright]], axis=-1), 1.4 * half)
    alone = [
        i
        for i, others in zip(bright, near, strict=True)
        if np.count_nonzero(height[others] > _NEIGHBOUR * height[i]) == 1
    ]
    return np.array(alone[:_MOST], np.int64)


def _mixture(
    pixels: NDArray[np.float32], weight: NDArray[np.float32], fit: Fit, dx: NDArray[np.float64],
    dy: NDArray[np.float64], nominal: Spread, half: int,
) -> Spread:  # fmt: skip
    """Return the mixture that the stars' pixels are best made of, each star with its own sky."""
    from scipy.optimize import nnls

    base = nominal.sigmas[0, 0]
    pairs = [*itertools.product(_CORES, _CORES), *((wing, wing) for wing in _WINGS)]
    sigmas = base * np.array(pairs)
    parts = [
        (fit.flux[:, None, None] * Spread(np.ones(1), one[None]).shares(dx, dy, half))
        for one in sigmas
    ]
    n = len(pixels)
    design = np.stack(parts, axis=-1).reshape(n, -1, len(sigmas))
    target, weight = pixels.reshape(n, -1).astype(float), weight.reshape(n, -1).astype(float)
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
