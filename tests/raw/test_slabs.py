"""Decoding while inflating gives what decoding afterwards gives, in every order; or nothing."""

from __future__ import annotations

import gzip
import threading

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.raw import inflate, slabs
from twomass_nb.raw.layout import FRAME_BYTES

LAYOUT = tm.Layout("f b r Y X y x")


@pytest.mark.parametrize("size", [1 << 13, 1 << 20])
@pytest.mark.parametrize("seed", range(6))
def test_any_order(night, some_orders, science, monkeypatch, size, seed):
    monkeypatch.setattr(slabs, "_SLAB", size)
    for layout in some_orders(3, seed):
        path = night / "k1186063.rds"
        path.write_bytes(layout.encode(science[:5]))
        frames, digest = slabs.decode_file(path, layout, 5)
        np.testing.assert_array_equal(frames, science[:5], err_msg=str(layout))
        assert digest == ""


@pytest.mark.parametrize("block", [None, 1, 2, 5, 7])
@pytest.mark.parametrize("difference", ["", "r", "f -Xx"])
def test_blocks_and_differences(night, science, block, difference):
    layout = tm.Layout("b Y f r y X x", block=block, difference=difference)
    path = night / "k1186063.rds.gz"
    path.write_bytes(gzip.compress(layout.encode(science[:5]), 1))
    frames, digest = slabs.decode_file(path, layout, 5, hashed=True)
    np.testing.assert_array_equal(frames, science[:5])
    assert digest == inflate.digest_of(path)


def test_what_is_not_just_these_frames_is_left_to_those_who_look_closer(night, science):
    path, content = night / "k1186063.rds.gz", LAYOUT.encode(science[:3])
    whole = gzip.compress(content, 1)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for raw in (
        whole[:-9],
        whole[:-1],
        whole + b"x",
        bytes(flipped),
        gzip.compress(content + bytes(FRAME_BYTES), 1),
        gzip.compress(content[:-1], 1),
        gzip.compress(b"") + b"x" + whole,
    ):
        path.write_bytes(raw)
        assert slabs.decode_file(path, LAYOUT, 3) is None
    path.write_bytes(whole + bytes(600))  # padding is no part of it
    assert slabs.decode_file(path, LAYOUT, 3) is not None


def test_no_thread_outlives_it(write, science, monkeypatch):
    path = write("k1186063.rds.gz", science[:3], LAYOUT)
    before = threading.active_count()
    slabs.decode_file(path, LAYOUT, 3)

    def broken(*_):
        raise MemoryError

    monkeypatch.setattr(slabs, "reorder", broken)
    with pytest.raises(MemoryError):
        slabs.decode_file(path, LAYOUT, 3)
    assert threading.active_count() == before


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES - 1, 1 << 31])
def test_what_the_end_of_a_file_promises_may_be_a_lie(write, science, size):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    assert inflate.frames_promised(path) == 2
    path.write_bytes(path.read_bytes()[:-4] + size.to_bytes(4, "little"))
    assert inflate.frames_promised(path) == 0
