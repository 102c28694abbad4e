"""Least squares for where frames are: stars seen several times, a smooth track, a reference.

All is in the array's own axes, in pixels. Frame k has its centre at d[k], and a star that lies q
from it (q = pixel - CENTER) is at q + d[k]: no rotation or scale enters, and the problem is linear.
Stars' places are eliminated. Frames are held to a smooth track by their own jitter, which is
estimated; so one without stars lies on the track. A reference says where stars are on the sky, and
with that
(a, b, t) of

    u = [[a, b], [-b, a]] (west, along) + t
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Observed", "Solution", "drift_terms", "solve"]

Floats = NDArray[np.float64]

_ROUNDS, _SOFT_ROUNDS, _JITTER_EVERY = 8, 4, 3
_CLIP = 4.0  # sigmas
_MEDIAN_CHI2 = 0.4549  # of one degree of freedom
# Error of a star's place beyond that of noise, pixels, until as many residuals tell.
_FLOOR, _FEW = 0.05, 12
_JITTERS = np.geomspace(0.002, 3.0, 16)  # pixels: what is tried
_FRAMES_A_TERM = 60  # chosen: a drift bends no faster
# Tracks move as predicted, and are straight, to these (pixels a frame; rms pixels).
_MOTION_PRIOR, _DRIFT_PRIOR = 1.0, 3.0
# A reference's plate scale and orientation are those expected, to these (relative, radians).
_SCALE_PRIOR, _TURN_PRIOR = 0.005, 0.02


class Observed(NamedTuple):
    """Places of stars, in frames or in a reference; arrays of n.

    Attributes
    ----------
    frame : array of int
        Index of the frame; -1: this is from the reference.
    star : array of int
    place : array, shape (n, 2)
        In a frame: pixels (x, y) from its centre. In the reference: arcsec (west, along), west
        with the sign that x has.
    error : array, shape (n, 2)
        Pixels.
    flux : array
    """

    frame: NDArray[np.int64]
    star: NDArray[np.int64]
    place: Floats
    error: Floats
    flux: Floats


@dataclass(frozen=True)
class Solution:
    """What came out.

    Attributes
    ----------
    parameters, covariance : array
        d (frames' x, then y), drift (x, then y), and with a reference a, b, t.
    jitter : float
        Pixels.
    floors : (float, float)
        Errors of stars' places beyond the noise, in frames and in the reference, pixels.
    residual : array, shape (n, 2)
        Of each observation, pixels.
    used : array of bool, shape (n,)
    stars : array, shape (n_stars, 2)
        Their places, pixels.
    """

    parameters: Floats
    covariance: Floats
    jitter: float
    floors: tuple[float, float]
    residual: Floats
    used: NDArray[np.bool_]
    stars: Floats


def drift_terms(frames: Floats) -> Floats:
    """Return polynomials of the frames' numbers, shape (n, terms); the first is number less mean.

    They are orthogonal to each other and to a constant, so that the first one's factor is the mean
    step.
    """
    n_terms = 1 + len(frames) // _FRAMES_A_TERM
    first = frames - frames.mean()
    powers = (first / max(np.abs(first).max(), 1))[:, None] ** np.arange(n_terms + 1)
    q, _ = np.linalg.qr(powers)
    terms = q[:, 1:]
    # the first column is first * a factor
    terms[:, 0] = first
    return terms


def _rows(seen: Observed, n_frames: int, n_terms: int, tied: bool) -> tuple[Any, Floats, Any]:
    """Return the design (2 n, parameters), the data and which star each row is of."""
    from scipy.sparse import coo_matrix

    n, base = len(seen.star), 2 * (n_frames + n_terms)
    ours = seen.frame >= 0
    own, ref = np.flatnonzero(ours), np.flatnonzero(~ours)
    west, along = seen.place[ref].T
    one = np.ones(len(ref))
    parts = [
        (own, seen.frame[own], np.ones(len(own))),
        (n + own, n_frames + seen.frame[own], np.ones(len(own))),
    ]
    if tied:
        for row, columns in (
            (ref, (west, along, one, 0 * one)),
            (n + ref, (along, -west, 0 * one, one)),
        ):
            parts += [(row, np.full(len(ref), base + k), value) for k, value in enumerate(columns)]
    row, column, value = (np.concatenate(c) for c in zip(*parts, strict=True))
    design = coo_matrix((value, (row, column)), shape=(2 * n, base + 4 * tied)).tocsr()
    data = np.where(ours[:, None], seen.place, 0.0).T.ravel()
    n_stars = int(seen.star.max(initial=-1)) + 1
    star = np.concatenate([seen.star, n_stars + seen.star])
    of_star = coo_matrix(
        (np.ones(2 * n), (np.arange(2 * n), star)), shape=(2 * n, 2 * n_stars)
    ).tocsr()
    return design, data, of_star


def solve(
    seen: Observed,
    frames: NDArray[np.int64],
    motion: Floats,
    expected: tuple[float, float] | None = None,
) -> Solution:
    """Solve for the places of frames.

    Parameters
    ----------
    seen : Observed
    frames : array of int
        Numbers of the frames.
    motion : array, shape (2,)
        Pixels a frame (x, y), as predicted: what holds where stars do not tell.
    expected : (float, float), optional
        a and b as expected; None: there is no reference.
    """
    terms = drift_terms(frames.astype(float))
    n, tied = len(frames), expected is not None
    design, data, of_star = _rows(seen, n, terms.shape[1], tied)
    ours = np.tile(seen.frame >= 0, 2)
    error = seen.error.T.ravel()
    prior = _Prior(terms, motion, expected)
    jitter, floors, trust = _FLOOR, (_FLOOR, _FLOOR), np.ones(len(data))
    for round_ in range(_ROUNDS):
        sigma = np.hypot(error, np.where(ours, *floors))
        weight = trust / sigma**2
        reduced = _reduced(design, data, of_star, weight)
        if round_ % _JITTER_EVERY == 0:
            jitter = prior.likeliest(*reduced)
        parameters, covariance = prior.solve(*reduced, jitter)
        value = data + design @ parameters
        total = np.asarray(of_star.T @ weight)
        stars = (of_star.T @ (weight * value)) / np.maximum(total, 1e-30)
        residual = value - of_star @ stars
        # what a star's own place takes up of its residuals
        free = 1 - weight / np.maximum(of_star @ total, 1e-30)
        known = (free > 0.05) & (trust > 0)
        floors = _extra(residual, error, free, known, ours)
        pull = np.abs(residual) / (
            np.hypot(error, np.where(ours, *floors)) * np.sqrt(np.maximum(free, 0.05))
        )
        pull = np.maximum(pull[: len(pull) // 2], pull[len(pull) // 2 :])
        if round_ < _SOFT_ROUNDS:
            trust = np.tile(1 / (1 + (pull / 2) ** 2), 2)
        else:
            trust = np.tile((pull < _CLIP).astype(float), 2)
    return Solution(
        parameters,
        covariance,
        jitter,
        floors,
        residual.reshape(2, -1).T,
        trust[: len(pull)] > 0,
        stars.reshape(2, -1).T,
    )


def _reduced(
    design: Any, data: Floats, of_star: Any, weight: Floats
) -> tuple[Floats, Floats, float]:
    """Return normal equations without the stars: matrix, right hand side, and sum of squares."""
    from scipy.sparse import diags

    weighted = diags(weight) @ design
    cross = of_star.T @ weighted
    total = np.maximum(np.asarray(of_star.T @ weight), 1e-30)
    mean = (of_star.T @ (weight * data)) / total
    matrix = (design.T @ weighted - cross.T @ diags(1 / total) @ cross).toarray()
    right = -(weighted.T @ data - cross.T @ mean)
    return matrix, right, float(weight @ data**2 - total @ mean**2)


@dataclass(frozen=True)
class _Prior:
    """What is known before any star: frames lie near a smooth track; a and b are near expected."""

    terms: Floats
    motion: Floats
    expected: tuple[float, float] | None

    def added(self, jitter: float) -> tuple[Floats, Floats, float]:
        n, m = self.terms.shape
        size = 2 * (n + m) + (4 if self.expected else 0)
        matrix, right, squares = np.zeros((size, size)), np.zeros(size), 0.0
        for axis in (0, 1):
            d, c = slice(axis * n, axis * n + n), slice(2 * n + axis * m, 2 * n + axis * m + m)
            matrix[d, d] += np.eye(n)
            matrix[d, c], matrix[c, d] = -self.terms, -self.terms.T
            matrix[c, c] += self.terms.T @ self.terms
        matrix /= jitter**2
        spread = np.full(m, _DRIFT_PRIOR * np.sqrt(n))
        spread[0] = _MOTION_PRIOR
        for axis in (0, 1):
            own = np.arange(2 * n + axis * m, 2 * n + axis * m + m)
            matrix[own, own] += 1 / spread**2
            right[own[0]] += self.motion[axis] / _MOTION_PRIOR**2
            squares += (self.motion[axis] / _MOTION_PRIOR) ** 2
        if self.expected:
            a, b = self.expected
            scale = np.hypot(a, b)
            for k, value, part in ((-4, a, _SCALE_PRIOR), (-3, b, _TURN_PRIOR)):
                weight = 1 / (part * scale) ** 2
                matrix[k, k] += weight
                right[k] += weight * value
                squares += weight * value**2
        return matrix, right, squares

    def solve(
        self, matrix: Floats, right: Floats, _: float, jitter: float
    ) -> tuple[Floats, Floats]:
        more, also, _ = self.added(jitter)
        covariance: Floats = np.linalg.inv(matrix + more).astype(float)
        return covariance @ (right + also), covariance

    def likeliest(self, matrix: Floats, right: Floats, squares: float) -> float:
        """Return the jitter under which the data are the likeliest."""
        from scipy.linalg import solve_triangular

        best, least = float(_JITTERS[0]), np.inf
        for jitter in _JITTERS:
            more, also, extra = self.added(jitter)
            lower = np.linalg.cholesky(matrix + more)
            half = solve_triangular(lower, right + also, lower=True, check_finite=False)
            cost = squares + extra - half @ half + 2 * np.log(np.diag(lower)).sum()
            cost += 4 * len(self.terms) * np.log(jitter)
            if cost < least:
                best, least = float(jitter), cost
        return best


def _extra(
    residual: Floats, error: Floats, free: Floats, known: NDArray[np.bool_], ours: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return what must be added to the errors of noise, in frames and in the reference."""
    in_frames, in_reference = (
        _floor(residual[which] / np.sqrt(free[which]), error[which])
        for which in (known & ours, known & ~ours)
    )
    return in_frames, in_reference


def _floor(residual: Floats, error: Floats) -> float:
    """Return the error that makes residuals as large as they are, added to that of the noise."""
    low, high = 0.0, 2.0
    if len(residual) < _FEW:
        return _FLOOR
    for _ in range(30):
        middle = (low + high) / 2
        small = np.median(residual**2 / (error**2 + middle**2)) > _MEDIAN_CHI2
        low, high = (middle, high) if small else (low, middle)
    return (low + high) / 2
