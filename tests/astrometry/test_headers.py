"""What real headers say of rotations, against the published table."""

from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.astrometry import rotations_of
from twomass_nb.atlas import AtlasImage


@pytest.fixture(scope="module")
def table(real_data):
    return rotations_of(sorted((real_data / "atlas").glob("*.fits.gz")))


def test_real_headers(table):
    assert len(table) == 11
    assert "SIMULATE" not in table.meta
    three = table[table["scan_id"] == "001022s062"]
    assert list(three["band"]) == ["j", "h", "k"]
    assert three["rotation"].to_value("deg") == pytest.approx([0.277, 0.303, -0.121], abs=0.001)


def test_bands_of_a_coadd_share_their_drift_if_ks_has_the_sign_of_headers(table):
    three = table[table["scan_id"] == "001022s062"]
    drift = three["drift"].to_value("arcsec")
    assert np.ptp(drift) < 0.02  # the table's errors of .005 deg make .007 arcsec a frame
    published = three["drift_published"].to_value("arcsec")
    assert published[2] - published[0] == pytest.approx(0.5, abs=0.01)


def test_rotation_told_from_drift_by_scans_of_both_directions(table):
    """A drift has the same sense in both, a rotation turns dxfs around with dyfs."""
    m17 = table[table["band"] == "k"][:8]
    north = m17["direction"] == "n"
    dx, dy = (m17[name].to_value("arcsec") for name in ("dxfs", "dyfs"))
    turn = (np.median(dx[north]) - np.median(dx[~north])) / (dy[north].mean() - dy[~north].mean())
    assert np.rad2deg(np.arctan(turn)) == pytest.approx(-0.175, abs=0.02)
    drift = m17["drift"].to_value("arcsec")
    assert np.abs(np.median(drift[north]) - np.median(drift[~north])) < 0.05
    # with the published sign the telescope would drift ten times as fast, and turn with the scan
    published = m17["drift_published"].to_value("arcsec")
    assert (published[north] < -0.5).all()
    assert (published[~north] > 0.4).all()


def test_simulated_images_are_marked(short_sample):
    images = sorted(short_sample.rglob("*.fits*"))
    made = rotations_of(AtlasImage.open(path) for path in images)
    assert made.meta["SIMULATE"]
    assert np.abs(made["drift"].to_value("arcsec")).max() < 1e-6
