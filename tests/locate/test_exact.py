"""The locator against brute force in extended precision."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

_SPEC = importlib.util.spec_from_file_location("exact", Path(__file__).parent / "exact.py")
exact = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(exact)


def sky(rng, n):
    return rng.uniform(0, 360, n), np.rad2deg(np.arcsin(rng.uniform(-1, 1, n)))


def test_100_000_random_positions_of_59_731_scans(survey):
    ra, dec = sky(np.random.default_rng(1), 100_000)
    pairs = survey.query(ra, dec)
    assert exact.disagreements(survey.table, ra, dec, pairs) == 0
    # The tiling covers the whole sky.
    assert np.bincount(pairs[0], minlength=len(ra)).min() >= 1


def edge_positions(table, rng, n, away):
    """Positions on and `away` (rad) to either side of edges and corners of random scans."""
    corners, normals = exact.polygons(table)
    k, e = rng.integers(0, len(table), n), rng.integers(0, 4, n)
    t = rng.choice([0.0, 1.0, *rng.uniform(0, 1, 8)], n)[:, None]  # a fifth are corners
    point = exact.unit((1 - t) * corners[k, e] + t * corners[k, (e + 1) % 4])
    side = rng.choice([-1.0, 0.0, 1.0], n)[:, None] * away
    return exact.degrees(exact.unit(point + side * normals[k, e]))


@pytest.mark.parametrize("away", [0.0, 5e-12, 5e-9, 5e-6])
def test_positions_at_edges_and_corners(survey, away):
    # 5e-9 rad is a milliarcsecond
    ra, dec = edge_positions(survey.table, np.random.default_rng(2), 4000, away)
    assert exact.disagreements(survey.table, ra, dec, survey.query(ra, dec)) == 0


def test_the_poles_and_ra_0(survey):
    rng = np.random.default_rng(3)
    n = 3000
    polar = rng.choice([-1, 1], n) * (90 - 10 ** rng.uniform(-12, 1, n))
    near_0 = np.mod(rng.choice([-1, 1], n) * 10 ** rng.uniform(-14, 1, n), 360)
    ra = np.concatenate([rng.uniform(0, 360, n), near_0, [0, 360, 0, 123.4, 0, 360]])
    dec = np.concatenate([polar, rng.uniform(-90, 90, n), [90, 90, -90, -90, 0, 0]])
    assert exact.disagreements(survey.table, ra, dec, survey.query(ra, dec)) == 0


@pytest.mark.parametrize("margin", [-300.0, -10.0, 15.0, 59.0, 59.5, 61.0, 900.0, 7200.0])
def test_every_margin_is_as_exact(few, margin):
    rng = np.random.default_rng(4)
    ra, dec = sky(rng, 3000)
    at = edge_positions(few.table, rng, 1500, abs(margin) * float(exact.ARCSEC) + 5e-9)
    diagonal = edge_positions(few.table, rng, 500, 1.4 * abs(margin) * float(exact.ARCSEC))
    ra, dec = np.concatenate([ra, at[0], diagonal[0]]), np.concatenate([dec, at[1], diagonal[1]])
    pairs = few.query(ra, dec, margin)
    assert exact.disagreements(few.table, ra, dec, pairs, margin) == 0


def test_ten_degrees_is_the_widest_margin_and_never_reaches_the_far_side(few):
    ra, dec = sky(np.random.default_rng(5), 300)
    i, k = few.query(ra, dec, 36000.0)
    center = exact.unit(exact.polygons(few.table)[0].sum(axis=1))
    points = exact.vector(ra, dec)
    apart = np.arccos(np.asarray((points[i] * center[k]).sum(-1), float))
    assert np.rad2deg(apart).max() < 25
    j, m, depth = exact.brute(few.table, ra, dec, 36000.0)
    far_side = np.asarray((points[j] * center[m]).sum(-1), float) < 0
    assert set(zip(i, k, strict=True)) == set(
        zip(j[(depth >= 0) & ~far_side], m[(depth >= 0) & ~far_side], strict=True)
    )


def test_distances_are_those_to_the_great_circles(few):
    rng = np.random.default_rng(6)
    ra, dec = edge_positions(few.table, rng, 2000, 3e-4)
    i, k = few.query(ra, dec)
    _, normals = exact.polygons(few.table)
    points = exact.vector(ra, dec)
    ours = few.footprints.distances(k, np.asarray(points[i], float))
    theirs = np.arcsin((normals[k] * points[i][:, None]).sum(-1)) / exact.ARCSEC
    assert np.abs(ours - theirs).max() * float(exact.ARCSEC) < 1e-12
