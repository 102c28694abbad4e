"""Pixels that touch become one, whatever their order, and none is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.array.clusters import clusters

PIXELS = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=60, unique=True)


@given(PIXELS, st.randoms())
def test_each_pixel_is_in_one_whatever_the_order(pixels, random):
    x, y = np.array(pixels, int).reshape(-1, 2).T
    found = clusters(x, y)
    assert found[:, 2].sum() == len(pixels)
    assert (np.diff(found[:, 2]) <= 0).all()
    shuffled = random.sample(pixels, len(pixels))
    again = clusters(*np.array(shuffled, int).reshape(-1, 2).T)
    np.testing.assert_allclose(sorted(map(tuple, found)), sorted(map(tuple, again)), atol=1e-9)


def test_two_stars_are_two():
    x = [10, 11, 10, 11, 60, 61]
    y = [20, 20, 21, 21, 20, 20]
    np.testing.assert_allclose(clusters(x, y), [[10.5, 20.5, 4], [60.5, 20, 2]])
    assert clusters(x, y, apart=60).shape == (1, 3)
    assert clusters([], []).shape == (0, 3)
