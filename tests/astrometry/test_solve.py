"""Least squares with known answers: steps, jitter, drifts, wrong matches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.astrometry.solve import Observed, drift_terms, solve

MOTION = np.array([0.2, 41.4])
NOISE = 0.05


def observed(seed, n=20, per_step=3, moved=0.0, frames=None):
    """Return noisy places of stars in frames that move as MOTION says, and where those were."""
    rng = np.random.default_rng(seed)
    frames = np.arange(n) if frames is None else frames
    d = np.outer(frames - frames.mean(), MOTION) + moved
    low, high = d[:, 1].min() - 128, d[:, 1].max() + 128
    count = int(per_step * (high - low) / 41)
    stars = np.stack([rng.uniform(-128, 128, count), rng.uniform(low, high, count)], axis=1)
    q = stars[None] - d[:, None]
    frame, star = np.nonzero((np.abs(q) < 127).all(axis=2))
    several = np.bincount(star, minlength=count)[star] > 1
    frame, star = frame[several], np.unique(star[several], return_inverse=True)[1]
    place = (q[(np.abs(q) < 127).all(axis=2)])[several]
    place = place + rng.normal(0, NOISE, place.shape)
    error = np.full(place.shape, NOISE)
    return Observed(frame, star, place, error, np.ones(len(star))), frames, d


def motion_of(solution, n):
    terms = len(solution.parameters) // 2 - n
    k = [2 * n, 2 * n + terms]
    return solution.parameters[k], np.sqrt(solution.covariance[k, k])


def test_motion_lies_within_its_errors():
    inside = []
    for seed in range(60):
        seen, frames, _ = observed(seed)
        motion, error = motion_of(solve(seen, frames, MOTION + np.array([0.3, -0.4])), len(frames))
        inside += list(np.abs(motion - MOTION) < 2 * error)
    assert 0.88 < np.mean(inside) <= 1.0


@pytest.mark.parametrize("jitter", [0.02, 0.3])
def test_jitter_is_estimated(jitter):
    moved = np.random.default_rng(3).normal(0, jitter, (40, 2))
    seen, frames, d = observed(1, 40, moved=moved)
    found = solve(seen, frames, MOTION)
    assert found.jitter == pytest.approx(jitter, rel=0.6)
    off = found.parameters[:80].reshape(2, -1).T - d
    assert (off - off.mean(axis=0)).std() < 0.05


def test_a_bent_track_is_followed():
    bend = 5 * np.sin(np.arange(180) / 40.0)
    moved = np.stack([bend, 0 * bend], axis=1)
    seen, frames, d = observed(2, 180, moved=moved)
    found = solve(seen, frames, MOTION)
    off = found.parameters[:360].reshape(2, -1).T - d
    assert np.abs(np.diff(off, axis=0)).max() < 0.1
    assert (off - off.mean(axis=0)).std() < 0.3


def test_wrong_matches_are_left_out():
    seen, frames, _ = observed(4)
    wrong = np.random.default_rng(0).choice(len(seen.star), len(seen.star) // 20, replace=False)
    seen.place[wrong] += 0.9
    found = solve(seen, frames, MOTION)
    assert not found.used[wrong].any()
    assert found.used.mean() > 0.8
    motion, error = motion_of(found, len(frames))
    assert (np.abs(motion - MOTION) < 4 * error).all()


def test_errors_grow_with_what_is_left_over():
    seen, frames, _ = observed(5)
    _, usual = motion_of(solve(seen, frames, MOTION), len(frames))
    small = seen._replace(error=seen.error / 5)
    found = solve(small, frames, MOTION)
    assert found.floors[0] == pytest.approx(NOISE, rel=0.3)
    assert motion_of(found, len(frames))[1] == pytest.approx(usual, rel=0.2)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(-20, 20), st.floats(-20, 20))
def test_moving_all_stars_moves_nothing(seed, x, y):
    """Only differences count: an offset common to all frames is not seen."""
    seen, frames, _ = observed(seed, 8)
    one = solve(seen, frames, MOTION)
    other = solve(seen._replace(place=seen.place + np.array([x, y])), frames, MOTION)
    assert one.parameters == pytest.approx(other.parameters, abs=1e-5)


@given(st.integers(2, 300), st.integers(0, 50))
def test_terms_leave_the_mean_and_the_mean_step_alone(n, first):
    frames = np.arange(first, first + n, dtype=float)
    terms = drift_terms(frames)
    assert terms[:, 0] == pytest.approx(frames - frames.mean())
    assert terms.sum(axis=0) == pytest.approx(0, abs=1e-6)
    assert terms[:, 0] @ terms[:, 1:] == pytest.approx(0, abs=1e-6 * n)
