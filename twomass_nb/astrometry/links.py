"""Which stars of different frames are the same star.

Where a scan looked is known to minutes of arc, how far it moved from frame to frame to some arcsec.
So first the motion that most pairs of stars share is looked for; then stars are followed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE
from .stars import Stars

__all__ = ["common_shift", "follow"]

Floats = NDArray[np.float64]

# Pixels: how far a frame may be from where its neighbour and the predicted motion put it, and from
# where the usual motion of this scan puts it; how well stars then agree; how far apart frames
# may be that are compared.
_SEARCH, _AGAIN, _AGREE, _FARTHEST = 6.0, 3.0, 1.0, 0.8 * SIZE
# A shift counts if chance alone gives so many agreeing pairs this rarely.
_RARELY = 0.005
_FACTOR = 2.5  # by which the flux of one star may seem to change


def common_shift(
    first: Floats, second: Floats, search: tuple[float, float], agree: float, area: float
) -> tuple[Floats, int, bool]:
    """Find the shift from one set of places to the other that most pairs share.

    Parameters
    ----------
    first, second : array, shape (n, 2), (m, 2)
        Places; already shifted as predicted.
    search : (float, float)
        Half widths of the range searched.
    agree : float
        How well places agree.
    area : float
        Of the sky that the places are spread over.

    Returns
    -------
    shift : array, shape (2,)
        To be added to `first`.
    votes : int
        Pairs that agree with it.
    certain : bool
        Whether chance hardly gives so many.
    """
    from scipy.spatial import cKDTree
    from scipy.special import pdtrc

    apart = (second[None, :, :] - first[:, None, :]).reshape(-1, 2)
    pairs = apart[(np.abs(apart) < np.asarray(search) + agree).all(axis=1)]
    if not len(pairs):
        return np.zeros(2), 0, False
    counts = cKDTree(pairs).query_ball_point(pairs, agree, return_length=True)
    votes = int(counts.max())
    members = pairs[np.hypot(*(pairs - pairs[int(counts.argmax())]).T) < agree]
    per_place = np.pi * agree**2
    trials = max(1.0, 4 * search[0] * search[1] / per_place)
    by_chance = len(first) * len(second) * per_place / area
    return np.median(members, axis=0), votes, bool(trials * pdtrc(votes - 1, by_chance) < _RARELY)


def follow(
    stars: Stars, frames: NDArray[np.int64], motion: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Give the same number to the same star in all frames.

    Parameters
    ----------
    stars : Stars
    frames : array of int
        Frames measured.
    motion : array, shape (2,)
        Pixels (x, y) that the array is predicted to move on the sky a frame.

    Returns
    -------
    star : array of int
        Number of the star; -1 where it was seen in one frame only.
    motion : array, shape (2,)
        As the stars show it.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    place = np.stack([stars.x, stars.y], axis=1)
    members = [np.flatnonzero(stars.frame == k) for k in range(len(frames))]
    motion = _usual_motion(place, members, frames, motion)
    links = []
    for k, own in enumerate(members):
        for other in range(k + 1, len(frames)):
            predicted = (frames[other] - frames[k]) * motion
            if np.abs(predicted).max() > _FARTHEST or other - k > 2:
                break
            links.append(_same(stars, place, own, members[other], predicted))
    n = len(place)
    pairs = np.concatenate([*links, np.empty((0, 2), int)])
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, star = connected_components(graph, directed=False)
    return _trusted(star, stars.frame), motion


def _usual_motion(
    place: Floats, members: list[NDArray[np.int64]], frames: NDArray[np.int64], motion: Floats
) -> Floats:
    """Return the motion a frame that pairs of frames agree on; as predicted if none does."""
    shifts = []
    for k in range(len(frames) - 1):
        apart = frames[k + 1] - frames[k]
        if np.abs(apart * motion).max() > _FARTHEST:
            continue
        a, b = place[members[k]] - apart * motion, place[members[k + 1]]
        shift, _, certain = common_shift(a, b, (_SEARCH, _SEARCH), _AGREE, SIZE**2)
        if certain:
            shifts.append(-shift / apart)
    return motion + np.median(shifts, axis=0) if shifts else motion


def _same(
    stars: Stars, place: Floats, own: NDArray[np.int64], others: NDArray[np.int64],
    predicted: Floats,
) -> NDArray[np.int64]:  # fmt: skip
    """Return the pairs of indices of stars that two frames share, shape (m, 2)."""
    none = np.empty((0, 2), int)
    if not len(own) or not len(others):
        return none
    shift, _, certain = common_shift(
        place[own] - predicted, place[others], (_AGAIN, _AGAIN), _AGREE, SIZE**2
    )
    if not certain:
        return none
    apart = place[others][None] - (place[own] - predicted + shift)[:, None]
    distance = np.hypot(apart[..., 0], apart[..., 1])
    nearest, back = distance.argmin(axis=1), distance.argmin(axis=0)
    mutual = back[nearest] == np.arange(len(own))
    ratio = stars.flux[own] / stars.flux[others[nearest]]
    good = mutual & (distance.min(axis=1) < _AGREE) & (ratio < _FACTOR) & (ratio > 1 / _FACTOR)
    return np.stack([own[good], others[nearest[good]]], axis=1)


def _trusted(star: NDArray[np.int64], frame: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give stars new numbers; -1 for those seen once, or twice in one frame."""
    _, star, seen = np.unique(star, return_inverse=True, return_counts=True)
    twice, times = np.unique(np.stack([star, frame]), axis=1, return_counts=True)
    seen[twice[0, times > 1]] = 0
    good = seen[star] > 1
    numbered = np.full(len(star), -1)
    numbered[good] = np.unique(star[good], return_inverse=True)[1]
    return numbered
