from __future__ import annotations

import numpy as np
import pytest

from twomass_nb import Layout, learn_layout
from twomass_nb.errors import LayoutError
from twomass_nb.raw.layout import AXES


@pytest.fixture
def pair(write):
    def make(frames, layout, rds="j1186063.rds", rdo="j1186063.rdo", keep=None):
        same_bytes = Layout(AXES, layout.high_first)
        return write(rds, frames, layout, keep), write(rdo, frames, same_bytes)

    return make


def test_exact_on_50_random_orders(pair, some_orders, science):
    for k, layout in enumerate(some_orders(50, seed=11)):
        assert learn_layout(*pair(science[: 2 + k % 7], layout)) == layout


@pytest.mark.parametrize("kind", ["dark", "twilight"])
def test_frames_without_stars(pair, some_orders, simulated, kind):
    for layout in some_orders(5, seed=12):
        assert learn_layout(*pair(simulated("h", 6, 3, kind), layout)) == layout


@pytest.mark.parametrize("n", [128, 256])
def test_as_many_frames_as_an_axis_is_long(pair, some_orders, science, n):
    frames = np.resize(science, (n, 2, 256, 256))
    frames[:, 0, 0, 0] += np.arange(n, dtype=np.uint16)
    for layout in some_orders(2, seed=n):
        assert learn_layout(*pair(frames, layout)) == layout


def test_packed_files(pair, science):
    layout = Layout("Y f b x r X y", high_first=False)
    files = pair(science[:3], layout, "j1186063.rds.gz", "j1186063.rdo.gz")
    assert learn_layout(*files) == layout


def test_one_frame_has_the_order_of_its_other_axes(pair, some_orders, science):
    for layout in some_orders(5, seed=13):
        rds, rdo = pair(science[:1], layout)
        decoded = learn_layout(rds, rdo).decode(rds.read_bytes(), 1)
        np.testing.assert_array_equal(decoded, science[:1])


def test_few_bytes_that_differ_suffice_for_the_order(pair):
    frames = np.full((4, 2, 256, 256), 9000, np.uint16)
    rng = np.random.default_rng(0)
    for value in range(9001, 9041):
        frames[tuple(rng.integers(0, frames.shape))] = value
    layout = Layout("x b Y r f y X", high_first=False)
    with pytest.raises(LayoutError, match=r"the order of .* is 'x b Y r f y X', .* which byte"):
        learn_layout(*pair(frames, layout))


def test_ambiguous_content_is_named(pair):
    frames = np.full((2, 2, 256, 256), 9000, np.uint16)
    frames[1] += 1
    with pytest.raises(LayoutError, match=r"do not tell the axes .* apart"):
        learn_layout(*pair(frames, Layout("b f r X Y x y")))


def test_byte_order_that_the_content_does_not_say(pair):
    frames = np.random.default_rng(0).integers(0, 65536, (2, 2, 256, 256), np.uint16)
    with pytest.raises(LayoutError, match="which byte is high"):
        learn_layout(*pair(frames, Layout("b f r X Y x y")))


def test_no_order_fits(pair, science):
    rds, rdo = pair(science[:2], Layout("f r b Y y X x"))
    changed = bytearray(rds.read_bytes())
    changed[200_000] ^= 1
    rds.write_bytes(changed)
    with pytest.raises(LayoutError, match=r"tried all 5040 orders .* were not tried"):
        learn_layout(rds, rdo)


def test_sizes_that_do_not_match(write, science):
    rds = write("j1186063.rds", science[:2])
    with pytest.raises(LayoutError, match=r"2 frames and .* 3"):
        learn_layout(rds, write("j1186063.rdo", science[:3]))


def test_a_cut_file_teaches_nothing(pair, science):
    files = pair(science[:3], Layout("f r b Y y X x"), "j1186063.rds.gz", keep=-9_000)
    with pytest.raises(LayoutError, match="cut off"):
        learn_layout(*files)
