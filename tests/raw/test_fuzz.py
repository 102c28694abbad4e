"""A few hundred of the damaged files of benchmarks/fuzz.py: an error, or the right frames."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"
SPEC = importlib.util.spec_from_file_location("fuzz", HERE)
fuzz = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz)

INPUTS = 200


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", "40 MB")


def test_damaged_files(night):
    outcomes = {seed: fuzz.outcome(seed, night) for seed in range(INPUTS)}
    fine = {*fuzz.GOOD, fuzz.CUT_AND_DAMAGED}
    assert {k: v for k, v in outcomes.items() if v not in fine} == {}
    # All ways to end well occur, so the inputs are neither all whole nor all beyond reading.
    assert set(fuzz.GOOD) <= set(outcomes.values())


def test_wrong_frames_would_be_noticed(night, monkeypatch):
    right = fuzz.tm.RawScan.frame
    monkeypatch.setattr(fuzz.tm.RawScan, "frame", lambda scan, i: right(scan, i) ^ 1)
    assert "WRONG" in {fuzz.outcome(seed, night) for seed in range(40)}
