"""A short simulated scan with its calibrator, and frames resampled by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.coadd.resample import Resampled


@pytest.fixture(scope="session")
def night(tmp_path_factory) -> SimpleNamespace:
    """Ks of a scan of 30 frames, with darks, twilights and painted coadds."""
    folder = tm.simulate.scan(tmp_path_factory.mktemp("night"), "000529s063", "k", 5, 30)
    scan = tm.open_scan(folder / "k1186063.rds.gz")
    calibrator = tm.calibrate.Calibrator.from_night(folder, "k").with_saturation(scan)
    return SimpleNamespace(
        folder=folder, scan=scan, calibrator=calibrator, sky=calibrator.sky_offsets(scan),
        images=[tm.AtlasImage.open(p) for p in tm.atlas.find_coadds(folder, scan.scan_id, "k")],
    )  # fmt: skip


@pytest.fixture
def strips():
    """Return a maker of frames on an image of 400 x 120: 100 rows each, one every 41."""

    def make(levels, noise=0.0, seed=0, sky=None):
        rng = np.random.default_rng(seed)
        shape = (41 * (len(levels) - 1) + 100, 120)
        sky = np.zeros(shape) if sky is None else sky
        frames = []
        for k, level in enumerate(levels):
            rows = slice(41 * k, 41 * k + 100)
            values = sky[rows] + level + noise * rng.standard_normal((100, 120))
            flat = np.ones((100, 120), np.float32)
            variance = flat * np.float32(max(noise, 1e-3) ** 2)
            frames.append(Resampled(k, rows.start, values.astype(np.float32), variance, flat))
        return frames, shape

    return make
