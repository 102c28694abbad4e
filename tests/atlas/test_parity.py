"""Whether east is left is decided by the stars: also when a frame is mirrored, moved or empty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.atlas.parity import find_parity
from twomass_nb.errors import NotFoundError


@pytest.fixture(scope="module", params="jhk")
def pair(request, short_sample):
    """A scan, a coadd of it, and a frame on it less what stays in the same pixel."""
    night = short_sample / "000529s"
    scan = tm.open_scan(night / f"{request.param}1186063.rds.gz")
    paths = sorted((night / "s063" / "image").glob(f"{request.param}i*.fits.gz"))
    image = tm.AtlasImage.open(paths[1])
    frame = image.coadd - 1
    near = np.median([scan.difference(i) for i in range(frame - 4, frame + 5)], axis=0)
    return scan, image, frame, scan.difference(frame) - near


def test_a_frame_as_it_is_has_east_left(pair):
    scan, image, frame, pixels = pair
    found = find_parity(pixels, scan.track, frame, scan.geometry(), image)
    assert found.east_left is True
    assert np.hypot(*found.shift) <= 1.5


def test_a_mirrored_one_has_it_right_whatever_is_said_of_the_array(pair):
    scan, image, frame, pixels = pair
    for east_left in (True, False):
        geometry = replace(scan.geometry(), east_left=east_left)
        assert find_parity(pixels[:, ::-1], scan.track, frame, geometry, image).east_left is False


def test_it_stands_a_prediction_that_is_off(pair):
    """Predicted frames may be off by 45 arcsec along and 18 across."""
    scan, image, frame, pixels = pair
    moved = np.roll(pixels, (15, -6), axis=(0, 1))
    found = find_parity(moved, scan.track, frame, scan.geometry(), image)
    assert found.east_left is True
    assert found.shift == pytest.approx((-6, 15), abs=1)


def test_without_its_stars_it_does_not_decide(pair):
    scan, image, frame, pixels = pair
    rng = np.random.default_rng(3)
    shuffled = rng.permutation(pixels.ravel()).reshape(pixels.shape)
    for nothing in (shuffled, pixels[::-1], np.zeros_like(pixels)):
        found = find_parity(nothing, scan.track, frame, scan.geometry(), image)
        assert found.east_left is None
        assert "do not decide" in str(found)


def test_a_frame_elsewhere_is_refused(pair):
    scan, image, _, pixels = pair
    with pytest.raises(NotFoundError, match="too little sky"):
        find_parity(pixels, scan.track, 2, scan.geometry(), image)


def test_real_sky_decides_too(real_data, tmp_path):
    """Frames of a simulated camera that looks at a real Atlas Image of M17."""
    path = real_data / "atlas" / "aK_asky_990502s1350080.fits.gz"
    image = tm.AtlasImage.open(path)
    scan = tm.open_scan(tm.simulate.reobserve([path], tmp_path, seed=3))
    frame = image.coadd - 1
    near = np.median([scan.difference(i) for i in range(frame - 4, frame + 5)], axis=0)
    pixels = scan.difference(frame) - near
    assert find_parity(pixels, scan.track, frame, scan.geometry(), image).east_left is True
    assert (
        find_parity(pixels[:, ::-1], scan.track, frame, scan.geometry(), image).east_left is False
    )
