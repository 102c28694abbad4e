"""A small simulated disk: one night with two scans, and the night that has its darks and twilights.

All files are .rdo: to find a word order takes longer than all else.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from twomass_nb.reduce import Reduction, reduce_night
from twomass_nb.scan import ScanId
from twomass_nb.simulate import observe
from twomass_nb.simulate.exposure import presets, run
from twomass_nb.simulate.files import Observation

BANDS = ["j", "k"]
NIGHT = "000529s"


def make_disk(top: Path) -> Path:
    """Scan 63 in J and Ks (two images), 64 in Ks (one); darks and twilights of another night."""

    def one(text: str, kind: str, n: int) -> Observation:
        scan_id = ScanId.parse(text)
        track = observe.default_track(scan_id, "n", n, 1)
        return Observation(scan_id, kind, track, geometry=presets(scan_id))

    exposures, images = observe.science(one("000529s063", "sci", 20), BANDS, 1)
    other, _ = observe.science(one("000529s064", "cal", 14), ["k"], 1)
    dark = observe.dark(one("000531s090", "dar", 12), BANDS, 1, 12)
    lights = [
        light
        for k in range(3)
        for light in observe.twilight(one(f"000531s09{k + 1}", "flt", 10), BANDS, 1, 2 * k, 10)
    ]
    exposures += other + dark + lights
    for exposure in exposures:
        exposure.pair = True
    run(exposures, top, coadds=images)
    for path in top.glob("*/*.rds.gz"):
        path.unlink()
    return top


@pytest.fixture(scope="session")
def shared_disk(tmp_path_factory) -> Path:
    return make_disk(tmp_path_factory.mktemp("disk"))


@pytest.fixture(scope="session")
def undisturbed(shared_disk, tmp_path_factory) -> Reduction:
    """The night reduced in one go; not to be changed."""
    return reduce_night(shared_disk / NIGHT, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def disk(shared_disk, tmp_path) -> Path:
    """A copy of the disk, to be spoilt; coadds of the survey are left out."""
    return Path(
        shutil.copytree(shared_disk, tmp_path / "disk", ignore=shutil.ignore_patterns("image"))
    )


@pytest.fixture
def reduced(undisturbed, tmp_path) -> Path:
    """A copy of the folder that the products go to, to be spoilt."""
    return Path(shutil.copytree(undisturbed.folder.parent, tmp_path / "out"))
