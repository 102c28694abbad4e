"""What every test may need: the real data, where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real Atlas Images and service answers; CI must have it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TWOMASS_NB_REAL_DATA", default))
    if not (folder / "atlas").is_dir():
        message = f"no real data at {folder}: set TWOMASS_NB_REAL_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def short_sample(tmp_path_factory) -> Path:
    """Folder of the short simulated sample: scan 63 in three bands, darks, twilights, coadds."""
    from twomass_nb import sample

    return sample("scan63", folder=tmp_path_factory.mktemp("sample"), short=True)
