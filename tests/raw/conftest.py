"""Simulated frames and files for the tests of the raw room; made once a session."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from twomass_nb.raw.layout import AXES, Layout
from twomass_nb.scan import ScanId
from twomass_nb.simulate import observe
from twomass_nb.simulate.files import Observation

Frames = NDArray[np.uint16]


def _simulated(band: str, n: int, seed: int, kind: str = "sci", direction: str = "n") -> Frames:
    """Frames of the simulated camera, (n, 2, 256, 256); no file is written."""
    scan_id = ScanId("2000-05-29", "s", 63)
    track = observe.default_track(scan_id, direction, n, seed)
    one = Observation(scan_id, "sci", track, geometry=observe.presets(scan_id))
    if kind == "dark":
        exposure = observe.dark(one, [band], seed, n)[0]
    elif kind == "twilight":
        exposure = observe.twilight(one, [band], seed, seed % 4, n)[0]
    else:
        exposure = observe.science(one, [band], seed)[0][0]
    return exposure.frames()


def _some_orders(count: int, seed: int) -> list[Layout]:
    """Orders drawn at random from all 5,040 and both byte orders."""
    rng = random.Random(seed)
    return [
        Layout("".join(rng.sample(AXES, len(AXES))), high_first=rng.random() < 0.5)
        for _ in range(count)
    ]


@pytest.fixture(scope="session")
def simulated() -> Callable[..., Frames]:
    return lru_cache(maxsize=4)(_simulated)


@pytest.fixture(scope="session")
def some_orders() -> Callable[[int, int], list[Layout]]:
    return _some_orders


@pytest.fixture(scope="session")
def science() -> Frames:
    return _simulated("k", 40, 5)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    folder = tmp_path / "000529s"
    folder.mkdir()
    return folder


@pytest.fixture
def write(night: Path) -> Callable[..., Path]:
    """Write frames under a name of the archive, packed if the name ends in .gz."""

    def file(
        name: str, frames: Frames, layout: Layout = Layout.RDO, keep: int | None = None
    ) -> Path:
        data = layout.encode(frames)
        if name.endswith(".gz"):
            data = gzip.compress(data, 1)
        path = night / name
        path.write_bytes(data[:keep])
        return path

    return file
