"""Faulty frames are found, and only those, wherever they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.night.pixels import frame_faults, spans

N = 20  # more than are looked at together


@pytest.fixture(scope="module")
def good() -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.normal(9000, 30, (N, 2, 256, 256)).astype(np.uint16)


def constant(frames, i):
    frames[i, 0] = 0


def equal(frames, i):
    frames[i, 0] = frames[i, 1]


def saturated(frames, i):
    frames[i, 1].flat[:7000] = 65535


FAULTS = {
    constant: "frames-constant",
    equal: "reads-equal",
    saturated: "frames-saturated",
}


@settings(max_examples=12, deadline=None)
@given(fault=st.sampled_from(list(FAULTS)), which=st.sets(st.integers(0, N - 1), max_size=N - 1))
def test_the_frames_that_were_spoiled_are_those_found(good, fault, which):
    frames = good.copy()
    for i in which:
        fault(frames, i)
    found = frame_faults(frames, "a")
    assert [one.code for one in found] == [FAULTS[fault]] * bool(which)
    if which:
        assert found[0].text.startswith(f"frames {spans(sorted(which))}: ")


def test_a_repeated_frame_is_found_across_blocks(good):
    frames = good.copy()
    frames[16] = frames[15]
    assert [(f.code, f.text.partition(":")[0]) for f in frame_faults(frames, "a")] == [
        ("frames-repeated", "frames 16")
    ]


def test_all_frames_constant_is_an_error(good):
    (one,) = frame_faults(np.zeros_like(good), "a")
    assert (one.code, one.severity) == ("frames-constant", "error")


@given(st.sets(st.integers(0, 12), min_size=1))
def test_spans_name_each_number_once(numbers):
    text = spans(sorted(numbers))
    named = [
        n
        for part in text.split(", ")
        if part
        for n in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)
    ]
    assert named == sorted(numbers)


def test_many_spans_are_cut_short():
    assert spans(range(0, 40, 2)) == "0, 2, 4, 6, 8, 10, 12, 14 and 12 more spans"
