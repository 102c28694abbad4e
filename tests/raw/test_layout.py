from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb import Layout, TwomassError
from twomass_nb.errors import LayoutError, RawFileError
from twomass_nb.raw.layout import AXES, FRAME_BYTES, reorder_bytes

layouts = st.builds(Layout, st.permutations(AXES).map("".join), st.booleans())


def random_frames(n, seed):
    return np.random.default_rng(seed).integers(0, 65536, (n, 2, 256, 256), np.uint16)


def written_out(frames, layout):
    """The bytes of a file by the definition of a layout: a transposed array of bytes."""
    high, low = frames >> 8, frames & 255
    pair = (high, low) if layout.high_first else (low, high)
    words = np.stack(pair, axis=-1).astype(np.uint8)
    axes = words.reshape(len(frames), 2, 2, 128, 2, 128, 2)
    return axes.transpose([AXES.index(a) for a in layout.axes]).tobytes()


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


def test_rdo_is_frames_in_order_r1_then_r2_rows_from_the_bottom():
    frames = random_frames(2, 3)
    assert Layout.RDO.encode(frames) == frames.astype(">u2").tobytes()
    assert Layout(AXES, high_first=False).encode(frames) == frames.astype("<u2").tobytes()


@given(layouts)
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
