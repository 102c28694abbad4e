"""A small simulated night of short scans, made once, copied for each test that spoils it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.raw.inflate import read_content
from twomass_nb.raw.packing import packed
from twomass_nb.scan import ScanId
from twomass_nb.simulate import observe
from twomass_nb.simulate.exposure import presets, run
from twomass_nb.simulate.files import LAYOUT, Observation

N_FRAMES = 9


def make_night(top: Path, night: str, bands: str = "jhk") -> Path:
    """A survey scan (63), a dark (995) and a twilight (990), nine frames each.

    Only two files are .rds, the survey scan and a pair of the dark in Ks: to find a word order
    takes longer than all else.
    """
    scan_id = ScanId.parse(f"{night}063")
    track = observe.default_track(scan_id, "n", N_FRAMES, 1)
    one = Observation(scan_id, "sci", track, geometry=presets(scan_id))
    exposures, _ = observe.science(one, list(bands), 1)
    dark = replace(one, scan_id=ScanId.parse(f"{night}995"))
    twilight = replace(one, scan_id=ScanId.parse(f"{night}990"))
    exposures += observe.dark(dark, list(bands), 1, N_FRAMES)
    exposures += observe.twilight(twilight, list(bands), 1, 0, N_FRAMES)
    for one_exposure in exposures:
        one_exposure.pair = True
    run(exposures, top)
    folder = top / night
    for path in folder.glob("*.rds.gz"):
        if path.name[0] != "k" or path.name[5:8] == "990":
            path.unlink()
    (folder / f"{scan_id.stem('k')}.rdo.gz").unlink()
    return folder


@pytest.fixture(scope="session")
def whole_night(tmp_path_factory) -> Path:
    return make_night(tmp_path_factory.mktemp("whole"), "000529s")


@pytest.fixture(scope="session")
def northern_night(tmp_path_factory) -> Path:
    return make_night(tmp_path_factory.mktemp("north"), "990502n", "k")


@pytest.fixture
def night(whole_night, tmp_path) -> Path:
    return Path(shutil.copytree(whole_night, tmp_path / "disk" / whole_night.name))


@pytest.fixture
def spoil() -> Callable[..., Path]:
    """Change the frames of a file, which stays a whole and simulated gzip file."""

    def change(path: Path, how: Callable[[np.ndarray], object], layout: tm.Layout = LAYOUT) -> Path:
        content = read_content(path)
        frames = layout.decode(content.data, content.n_frames)
        changed = how(frames)
        frames = frames if changed is None else changed
        data = np.frombuffer(layout.encode(frames), np.uint8)
        path.write_bytes(b"".join(packed(data, simulated=True)))
        return path

    return change
