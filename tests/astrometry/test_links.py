"""Stars followed from frame to frame: the shift most pairs share, and none by chance."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.astrometry.links import common_shift, follow
from twomass_nb.astrometry.stars import Stars

AREA = 256.0**2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-5, 5), st.floats(-5, 5), st.integers(4, 60))
def test_a_shift_is_found_among_strangers(seed, dx, dy, n):
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, 256, (n, 2))
    second = first + np.array([dx, dy]) + rng.normal(0, 0.1, (n, 2))
    second[: n // 3] = rng.uniform(0, 256, (n // 3, 2))
    shift, votes, certain = common_shift(first, second, (6.0, 6.0), 1.0, AREA)
    assert certain
    assert votes >= n // 2
    assert np.hypot(*(shift - [dx, dy])) < 0.5


def test_chance_gives_no_shift():
    rng = np.random.default_rng(0)
    found = [
        common_shift(
            rng.uniform(0, 256, (n, 2)), rng.uniform(0, 256, (n, 2)), (6.0, 6.0), 1.0, AREA
        )[2]
        for n in (3, 10, 30, 100)
        for _ in range(100)
    ]
    assert np.mean(found) < 0.01


def test_nothing_to_shift():
    none = np.empty((0, 2))
    assert common_shift(none, none, (6.0, 6.0), 1.0, AREA)[1:] == (0, False)


def sky(seed, frames, motion, n=150):
    rng = np.random.default_rng(seed)
    place = np.stack([rng.uniform(0, 256, n), rng.uniform(-200, 256 + frames[-1] * 41, n)], axis=1)
    flux = rng.uniform(100, 1000, n)
    rows, name = [], []
    for k, i in enumerate(frames):
        x, y = (place - i * motion + rng.normal(0, 0.05, place.shape)).T
        seen = (x > 0) & (x < 256) & (y > 0) & (y < 256)
        rows.append(np.stack([np.full(seen.sum(), k), x[seen], y[seen], flux[seen]]))
        name.append(np.flatnonzero(seen))
    frame, x, y, f = np.concatenate(rows, axis=1)
    return Stars(frame.astype(int), x, y, np.full(len(x), 0.05), f), np.concatenate(name)


def test_a_star_keeps_its_number():
    frames, motion = np.arange(12), np.array([0.3, 41.5])
    stars, name = sky(1, frames, motion)
    number, found = follow(stars, frames, np.array([0.0, 41.2]))
    assert np.abs(found - motion).max() < 0.1
    linked = number >= 0
    assert linked.mean() > 0.9
    # one number, one star; nearly every star one number
    pairs = np.unique(np.stack([number[linked], name[linked]]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1]
    assert len(np.unique(pairs[1])) > 0.95 * pairs.shape[1]


def test_frames_too_far_apart_share_no_stars():
    frames = np.array([0, 6, 12])
    stars, _ = sky(2, frames, np.array([0.0, 41.5]))
    number, found = follow(stars, frames, np.array([0.0, 41.5]))
    assert (number == -1).all()
    assert (found == [0.0, 41.5]).all()
