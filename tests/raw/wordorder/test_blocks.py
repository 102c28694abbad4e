"""Orders within blocks of frames, and differences in the place of words, learnt from pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb import Layout
from twomass_nb.raw.inflate import Content
from twomass_nb.raw.layout import AXES
from twomass_nb.raw.wordorder.expected import Expected
from twomass_nb.raw.wordorder.learn import learn_from
from twomass_nb.raw.wordorder.orders import axis_lengths
from twomass_nb.raw.wordorder.remember import FileSeen

FILES = (FileSeen("a.rds", 0, ""), FileSeen("a.rdo", 0, ""))
axes = st.permutations(AXES).map("".join)
single = st.sampled_from([s + n for n in ("r", "f", "x", "Xx", "y", "Yy") for s in ("", "-")])


def learnt(frames, layout):
    """The order learnt from frames as they are, and in the order `layout`."""
    pair = (layout, Layout(AXES, layout.high_first))
    rds, rdo = (Content(np.frombuffer(one.encode(frames), np.uint8)) for one in pair)
    return learn_from(rds, rdo, FILES, simulated=True).layout


@given(axes, st.booleans(), st.integers(2, 6), st.integers(3, 9))
@settings(max_examples=15, deadline=None)
def test_blocks_of_frames(science, order, high_first, block, n):
    layout = Layout(order, high_first, block)
    if n > block:
        assert learnt(science[:n], layout) == layout
    else:
        assert learnt(science[:n], layout) == Layout(order, high_first)


@given(axes, st.booleans(), single)
@settings(max_examples=10, deadline=None)
def test_differences(science, order, high_first, steps):
    layout = Layout(order, high_first, difference=steps)
    assert learnt(science[:4], layout) == layout


@pytest.mark.parametrize("steps", ["r Xx", "-r -y", "f x", "r -f", "Xx Yy"])
def test_differences_along_two_axes(science, some_orders, steps):
    (one,) = some_orders(1, seed=len(steps))
    layout = Layout(one.axes, one.high_first, difference=steps)
    assert learnt(science[:3], layout) == layout


@given(axes, st.booleans(), single, st.integers(2, 4))
@settings(max_examples=8, deadline=None)
def test_differences_within_blocks(science, order, high_first, steps, block):
    layout = Layout(order, high_first, block, steps)
    assert learnt(science[:7], layout) == layout


@pytest.mark.parametrize("kind", ["dark", "twilight"])
def test_frames_without_stars(simulated, kind):
    layout = Layout("b Y x f r X y", high_first=False, block=16, difference="-r")
    assert learnt(simulated("h", 40, 3, kind), layout) == layout


def test_of_noise_differences_tell_the_byte_order():
    frames = np.random.default_rng(0).integers(0, 65536, (3, 2, 256, 256), np.uint16)
    for high_first in (True, False):
        layout = Layout("b f r X Y x y", high_first, difference="r")
        assert learnt(frames, layout) == layout


@given(single, st.booleans(), st.sampled_from([None, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_single_bytes_are_those_of_the_whole(steps, high_first, block):
    rng = np.random.default_rng(1)
    rdo = rng.integers(0, 256, 4 * 262_144, np.uint8)
    expected = Expected(rdo, 4, f"{steps}", high_first, block)
    lengths = axis_lengths(4)
    where = rng.integers(0, lengths[:, None], (7, 2000))
    whole = expected.whole().reshape(tuple(lengths))
    np.testing.assert_array_equal(expected.at(where), whole[tuple(where)])
