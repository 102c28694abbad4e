from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb import Layout, TwomassError
from twomass_nb.errors import LayoutError, RawFileError
from twomass_nb.raw.layout import AXES, FRAME_BYTES, reorder_bytes

axes = st.permutations(AXES).map("".join)
layouts = st.builds(Layout, axes, st.booleans())
signs = st.sampled_from(["", "-"])
steps = [
    st.one_of(st.just(""), st.builds("{}{}".format, signs, st.sampled_from(names)))
    for names in (["f"], ["r"], ["x", "Xx"], ["y", "Yy"])
]
all_layouts = st.builds(
    Layout,
    axes,
    st.booleans(),
    st.one_of(st.none(), st.integers(1, 5)),
    st.tuples(*steps).map(" ".join),
)


def random_frames(n, seed):
    return np.random.default_rng(seed).integers(0, 65536, (n, 2, 256, 256), np.uint16)


def written_out(frames, layout):
    """The bytes of a file by the definition of a layout: a transposed array of bytes."""
    high, low = frames >> 8, frames & 255
    pair = (high, low) if layout.high_first else (low, high)
    words = np.stack(pair, axis=-1).astype(np.uint8)
    content = words.reshape(len(frames), 2, 2, 128, 2, 128, 2)
    return content.transpose([AXES.index(a) for a in layout.axes]).tobytes()


@given(layouts, st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_encode_is_the_definition_and_decode_undoes_it(layout, n, seed):
    frames = random_frames(n, seed)
    content = layout.encode(frames)
    assert content == written_out(frames, layout)
    decoded = layout.decode(content, n)
    assert decoded.dtype == np.uint16
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, frames)
    np.testing.assert_array_equal(layout.decode_frame(content, n, n - 1), frames[-1])


@given(layouts, layouts, st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_bytes_move_between_orders(one, two, n):
    two = Layout(two.axes, one.high_first)
    frames = random_frames(n, 1)
    moved = reorder_bytes(np.frombuffer(one.encode(frames), np.uint8), n, one, two)
    assert moved.tobytes() == two.encode(frames)


@given(all_layouts, st.integers(1, 7), st.data())
@settings(max_examples=40, deadline=None)
def test_blocks_and_differences_come_back(layout, n, data):
    frames = random_frames(n, 4)
    content = layout.encode(frames)
    np.testing.assert_array_equal(layout.decode(content, n), frames)
    i = data.draw(st.integers(0, n - 1))
    np.testing.assert_array_equal(layout.decode_frame(content, n, i), frames[i])
    assert layout.bytes_of(content, n).shape == (n, 2, 2, 128, 2, 128, 2)


@given(all_layouts, axes, st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_bytes_move_into_and_out_of_blocks_and_differences(layout, other, n):
    frames = random_frames(n, 2)
    plain = Layout(other, layout.high_first)
    bytes_of = {one: np.frombuffer(one.encode(frames), np.uint8) for one in (layout, plain)}
    for one, two in ((layout, plain), (plain, layout), (layout, layout)):
        assert reorder_bytes(bytes_of[one], n, one, two).tobytes() == two.encode(frames)


@given(axes, st.integers(1, 3), st.integers(1, 7))
@settings(max_examples=15, deadline=None)
def test_a_block_is_a_file_of_its_own(order, block, n):
    frames = random_frames(n, 5)
    parts = [Layout(order).encode(frames[k : k + block]) for k in range(0, n, block)]
    assert Layout(order, block=block).encode(frames) == b"".join(parts)


def test_differences_by_their_definition():
    frames = random_frames(3, 6)
    whole = frames.astype(np.int64)

    def stored(steps, **more):
        return Layout.RDO.decode(Layout(AXES, difference=steps, **more).encode(frames), 3)

    np.testing.assert_array_equal(stored("r")[:, 0], frames[:, 0])
    np.testing.assert_array_equal(stored("r")[:, 1], (whole[:, 1] - whole[:, 0]) % 65536)
    np.testing.assert_array_equal(stored("-r")[:, 1], (whole[:, 0] - whole[:, 1]) % 65536)
    np.testing.assert_array_equal(stored("f")[2], (whole[2] - whole[1]) % 65536)
    np.testing.assert_array_equal(stored("f", block=2)[2], frames[2])
    np.testing.assert_array_equal(stored("Xx")[..., 1:], np.diff(whole, axis=3) % 65536)
    np.testing.assert_array_equal(stored("x")[..., 128], frames[..., 128])
    np.testing.assert_array_equal(stored("x")[..., 1:128], stored("Xx")[..., 1:128])
    np.testing.assert_array_equal(stored("Yy")[..., 1:, :], np.diff(whole, axis=2) % 65536)
    np.testing.assert_array_equal(stored("y")[..., 128, :], frames[..., 128, :])


@given(all_layouts, st.integers(1, 9), st.data())
@settings(max_examples=25, deadline=None)
def test_the_whole_frames_of_a_cut_file(layout, n, data):
    kept = data.draw(st.integers(1, n))
    frames = random_frames(n, 7)
    whole = layout.whole_frames(kept)
    start = layout.encode(frames)[: whole * FRAME_BYTES]
    np.testing.assert_array_equal(layout.decode(start, whole), frames[:whole])
    assert whole == kept or not layout.frames_together


def test_blocks_that_make_no_difference_are_none():
    assert Layout("f b r Y y X x", block=8) == Layout("f b r Y y X x")
    assert Layout("b f r Y y X x", block=1) == Layout("f b r Y y X x")
    assert Layout("b f r Y y X x", block=1, difference="f") == Layout("f b r Y y X x")
    assert Layout("b f r Y y X x", block=8) != Layout("b f r Y y X x")
    assert Layout("f b r Y y X x", difference="Xx r") == Layout("f b r Y y X x", difference="r Xx")
    assert repr(Layout("f r b Y y X x")) == "Layout('f r b Y y X x', high_first=True)"


def test_rdo_is_frames_in_order_r1_then_r2_rows_from_the_bottom():
    frames = random_frames(2, 3)
    assert Layout.RDO.encode(frames) == frames.astype(">u2").tobytes()
    assert Layout(AXES, high_first=False).encode(frames) == frames.astype("<u2").tobytes()


@given(all_layouts)
def test_text_and_back(layout):
    assert Layout(str(layout)) == layout
    assert eval(repr(layout), {"Layout": Layout}) == layout
    assert len({layout, Layout(str(layout))}) == 1


def test_all_orders_differ():
    assert len({Layout("".join(p)) for p in itertools.permutations(AXES)}) == 5040


@pytest.mark.parametrize("order", ["", "f r", "f r b Y y X X", "f r b Y y X x x", "abcdefg", None])
def test_bad_orders(order):
    with pytest.raises(LayoutError, match="each of the axes"):
        Layout(order)


@pytest.mark.parametrize("steps", ["q", "X", "r r", "x Xx", "+r", "r -r", None, 3])
def test_bad_differences(steps):
    with pytest.raises(LayoutError, match="each axis once"):
        Layout("f r b Y y X x", difference=steps)


@pytest.mark.parametrize("block", [0, -3, 2.5, float("nan"), "x"])
def test_bad_blocks(block):
    with pytest.raises(LayoutError, match="blocks of"):
        Layout("b r f Y y X x", block=block)


def test_frozen():
    with pytest.raises(AttributeError):
        Layout.RDO.high_first = False


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES + 1])
def test_wrong_sizes(size):
    with pytest.raises(RawFileError, match="not 1 frames"):
        Layout.RDO.decode(bytes(size), 1)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((2, 256, 256), np.uint16),
        np.zeros((1, 2, 256, 256)),
        np.full((1, 2, 256, 256), -1),
        np.full((1, 2, 256, 256), 65536),
    ],
)
def test_frames_that_cannot_be_written(frames):
    with pytest.raises(TwomassError):
        Layout.RDO.encode(frames)
