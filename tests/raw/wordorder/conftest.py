"""A cache of its own for each test: what one learns, no other remembers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twomass_nb import Layout
from twomass_nb.raw.layout import AXES


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(folder))
    return folder


@pytest.fixture
def pair(write) -> Callable[..., tuple[Path, Path]]:
    """Write frames as .rds of some layout, and as .rdo with the bytes of words the same way."""

    def make(frames, layout, rds="j1186063.rds", rdo="j1186063.rdo", keep=None):
        same_bytes = Layout(AXES, layout.high_first)
        return write(rds, frames, layout, keep), write(rdo, frames, same_bytes)

    return make
