"""Real images observed again as raw frames come out of the coadd as they were."""

from __future__ import annotations

import numpy as np
import pytest

import twomass_nb as tm


@pytest.fixture(scope="module")
def observed(real_data, tmp_path_factory):
    """Return a maker of (scan without its truth, calibrator, images) of real images."""

    def make(pattern: str, seed: int):
        images = [tm.AtlasImage.open(p) for p in sorted((real_data / "atlas").glob(pattern))]
        folder = tmp_path_factory.mktemp("again")
        path = tm.simulate.reobserve(images, folder, seed=seed)
        # the simulator writes down where it looked: the prediction must do without
        par = path.with_name(path.name.replace(".rds.gz", ".par"))
        kept = [line for line in par.read_text().splitlines() if not line.startswith("TRK_")]
        par.write_text("\n".join(kept) + "\n")
        scan = tm.open_scan(path)
        assert scan.track.source == "sos"
        calibrator = tm.calibrate.Calibrator.from_night(path.parent, scan.band)
        return scan, calibrator, images

    return make


def test_a_crowded_nebula(observed):
    scan, calibrator, images = observed("aK_asky_990502s135*", seed=31)
    for image in images:
        found = tm.coadd.compare_images(tm.coadd.stack(scan, calibrator, like=image), image)
        assert found.ok(), found.verdict
        assert len(found.bright) > 60
        checks = {one.what: one for one in found.checks}
        # and better than that by a factor
        assert checks["photometry, rms about the offset"].value < 0.01
        assert checks["astrometry, rms of distances"].value < 0.03
        assert checks["background, rms of 32 pixel boxes"].value < 0.4


@pytest.mark.parametrize("band", ["J", "H"])
def test_a_field_that_is_nearly_empty(observed, band):
    scan, calibrator, images = observed(f"a{band}_asky_001022s062*", seed=32)
    ours = tm.coadd.stack(scan, calibrator, like=images[0])
    found = tm.coadd.compare_images(ours, images[0])
    assert found.ok(), found.verdict
    difference = (ours.data - images[0].data)[20:-20, 20:-20]
    # each pixel has the noise of ours, and what the survey's kernel smoothed away in its own
    scatter = 1.4826 * np.nanmedian(np.abs(difference - np.nanmedian(difference)))
    assert scatter < 1.8 * images[0].number("SKYSIG")
