"""What every test may need: the real data, where it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory) -> Iterator[None]:
    """Keep the tests out of the cache of whoever runs them, and their downloads out of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOMASS_NB_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name in ("TWOMASS_NB_ARCHIVE", "TWOMASS_NB_RDS2RDO", "TWOMASS_NB_CACHE_SIZE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real Atlas Images and service answers; CI must have it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TWOMASS_NB_REAL_DATA", default))
    if not (folder / "atlas").is_dir():
        pytest.skip(f"no real data at {folder}: set TWOMASS_NB_REAL_DATA")
    return folder


@pytest.fixture(scope="session")
def short_sample(tmp_path_factory) -> Path:
    """Folder of the short simulated sample: scan 63 in three bands, darks, twilights, coadds."""
    from twomass_nb import sample

    return sample("scan63", folder=tmp_path_factory.mktemp("sample"), short=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let nothing skip in silence where everything must be: on CI a skip is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped on CI, which must have what it needs: {report.longrepr[-1]}"
    return report
