"""Frames' positions from their stars: what was put in comes back, and what cannot be told stays."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from twomass_nb.array import ArrayGeometry, ScanTrack
from twomass_nb.array.geometry import PLATE_SCALES, ROTATIONS
from twomass_nb.astrometry import reconstruct
from twomass_nb.atlas import AtlasImage
from twomass_nb.errors import AtlasError, NotFoundError, TwomassWarning

TABLE = [(period, band) for period in ROTATIONS for band in "jhk"]
SOUTHWARD = ScanTrack(150.0, -30.0, 0.01, -82.4, 12)


@pytest.mark.parametrize(("period", "band"), TABLE, ids=lambda text: text)
def test_rotations_of_the_arrays_come_back(look, period, band):
    rotation, error = ROTATIONS[period][band]
    scale = PLATE_SCALES[band]
    scan = look(
        seed=TABLE.index((period, band)), rotation=rotation, scale=scale, frames=range(10),
        guess=ArrayGeometry(scale, 0.0),
    )  # fmt: skip
    found = reconstruct(scan, scan, frames=range(10))
    measured, known = found.geometry.rotation.value, found.geometry.rotation_error.value
    assert abs(measured - rotation) < 3 * known
    assert known < error  # one scan, of ten frames, tells it better than the table


@pytest.mark.parametrize("track", [ScanTrack(150.0, -30.0, 0.01, 82.9, 12), SOUTHWARD])
def test_steps_come_back_as_headers_have_them(look, track):
    scan = look(track=track, rotation=0.3)
    found = reconstruct(scan, scan)
    angle = np.deg2rad(0.3)
    truth = track.step * np.cos(angle), track.step * np.sin(angle)
    for value, error, true in zip(found.step, found.step_error, truth, strict=True):
        assert abs(value - true) < 3 * error
        assert error < 0.02
    assert np.rad2deg(np.arctan(found.step[1] / found.step[0])) == pytest.approx(
        found.geometry.rotation.value
    )


def test_without_a_reference_only_the_relative_is_measured(look):
    scan = look()
    found = reconstruct(scan, scan)
    assert found.track.center(7).separation(scan.track.center(7)).arcsec < abs(
        scan.truth.step - scan.track.step
    )
    assert found.track.pa == pytest.approx(scan.track.pa, abs=1e-6)
    assert found.track.uncertainty == scan.track.uncertainty
    assert found.geometry.plate_scale == scan.supposed.plate_scale
    assert np.isnan(found.plate_scale_error)
    assert found.track.step == pytest.approx(scan.truth.step, abs=0.02)
    assert "125 arcsec" in found.reference
    assert "given" in repr(found)
    assert "SIMULATED" in repr(found)
    assert "SIMULATED" in found._repr_html_()


def test_with_a_reference_frames_are_where_they_looked(look, catalogue, off_by):
    scan = look(scale=1.9879)  # 0.2 % from what is supposed
    found = reconstruct(scan, scan, reference=catalogue(scan.sky))
    off = off_by(found, scan.truth, scan.true_geometry, range(14))
    assert np.sqrt((off**2).mean()) < 0.05
    assert found.geometry.plate_scale.value == pytest.approx(
        1.9879, abs=4 * found.plate_scale_error
    )
    assert found.track.pa == pytest.approx(0.01, abs=0.01)
    assert found.track.uncertainty == (0.0, 0.0)
    assert found.reference_stars > 20
    assert np.median(found.errors) < 0.05


def test_frames_off_the_track_are_found_off_the_track(look, catalogue, off_by):
    moved = np.random.default_rng(5).normal(0, 0.6, (14, 2))
    scan = look(moved=moved)
    alone = reconstruct(scan, scan)
    assert 0.3 < alone.jitter < 1.2
    # the mean and the trend of the moves belong to the track
    basis = np.stack([np.ones(14), np.arange(14)], axis=1)
    left = moved - basis @ np.linalg.lstsq(basis, moved, rcond=None)[0]
    assert np.abs(alone.offsets - left).max() < 0.4
    assert np.sqrt(((alone.offsets - left) ** 2).mean()) < 0.12
    tied = reconstruct(scan, scan, reference=catalogue(scan.sky))
    off = off_by(tied, scan.truth, scan.true_geometry, range(14), moved)
    assert np.sqrt((off**2).mean()) < 0.08


def test_frames_without_stars_are_on_the_track(look):
    scan = look()
    for i in (5, 6, 12, 13):
        scan.frames[i] = np.random.default_rng(i).normal(400, 6, (256, 256)).astype(np.float32)
    found = reconstruct(scan, scan)
    assert (found.matched[[5, 6, 12, 13]] == 0).all()
    assert np.abs(found.offsets[[5, 6]]).max() < 0.02
    assert (found.offsets[[12, 13]] == 0).all()
    assert (found.errors[13] > found.errors[8]).all()


def test_an_empty_sky_keeps_the_prediction(look, catalogue):
    scan = look()
    for i in scan.frames:
        scan.frames[i] = np.random.default_rng(i).normal(400, 6, (256, 256)).astype(np.float32)
    found = reconstruct(scan, scan)
    assert not found.measured.any()
    assert found.track == scan.track
    assert found.geometry == scan.supposed
    same = found.wcs(3).wcs.crval - scan.track.wcs(3, scan.supposed).wcs.crval
    assert np.abs(same).max() < 1e-9
    assert "predicted" in repr(found)
    # no star contradicts the catalogue: nothing to warn of
    assert "predicted" in reconstruct(scan, scan, reference=catalogue(scan.sky)).reference


def test_frames_of_which_no_pixel_is_of_use(look):
    scan = look()
    for i in scan.frames:
        scan.frames[i] = np.full((256, 256), np.nan, np.float32)
    assert not reconstruct(scan, scan).measured.any()


def test_one_frame_has_nothing_to_be_compared_with(look):
    scan = look(frames=[4])
    assert not reconstruct(scan, scan, frames=[4]).measured.any()


def test_some_frames_place_the_others_on_the_track(look, catalogue, off_by):
    scan = look(frames=range(3, 11))
    found = reconstruct(scan, scan, frames=range(3, 11), reference=catalogue(scan.sky))
    assert found.track.n_frames == 14
    assert (found.matched[[0, 13]] == 0).all()
    off = off_by(found, scan.truth, scan.true_geometry, [0, 13])
    assert np.sqrt((off**2).mean()) < 0.1


def test_frames_with_gaps(look):
    scan = look()
    found = reconstruct(scan, scan, frames=range(0, 14, 2))
    rotation = found.geometry.rotation.value
    assert abs(rotation + 0.2) < 3 * found.geometry.rotation_error.value
    assert found.track.step == pytest.approx(scan.truth.step, abs=0.02)


def test_hot_pixels_are_no_stars(look):
    """They stay where they are while the sky moves on."""
    scan = look()
    rng = np.random.default_rng(0)
    hot = rng.integers(5, 250, (2, 60))
    for frame in scan.frames.values():
        frame[hot[0], hot[1]] += 3000
    found = reconstruct(scan, scan)
    assert abs(found.geometry.rotation.value + 0.2) < 4 * found.geometry.rotation_error.value


# East left or right ----------------------------------------------------------------------


@pytest.mark.parametrize("east_left", [True, False])
def test_the_wrong_side_for_east_is_caught(look, catalogue, off_by, east_left):
    wrong = ArrayGeometry(1.9839, 0.0, not east_left)
    scan = look(east_left=east_left, guess=wrong)
    side = "left" if east_left else "right"
    with pytest.warns(TwomassWarning, match=f"have east {side}"):
        found = reconstruct(scan, scan, reference=catalogue(scan.sky))
    assert found.geometry.east_left is east_left
    off = off_by(found, scan.truth, scan.true_geometry, range(14))
    assert np.sqrt((off**2).mean()) < 0.05


def test_another_sky_fits_on_neither_side(look, catalogue):
    scan, other = look(), look(seed=9)
    with pytest.warns(TwomassWarning, match="no stars fit a table"):
        found = reconstruct(scan, scan, reference=catalogue(other.sky))
    assert found.track.source == "sos"


# Real images ----------------------------------------------------------------------------

REAL = [
    ("aK_asky_990502s1350080.fits.gz", range(70, 89)),  # M17
    ("aK_asky_001022s0620186.fits.gz", range(176, 195)),  # NGC 309, an empty field
    ("aJ_asky_001022s0620186.fits.gz", range(176, 195)),
]


@pytest.mark.parametrize(("name", "frames"), REAL)
def test_real_sky_observed_again_is_where_the_image_says(
    real_data, observed_again, off_by, name, frames
):
    image = AtlasImage.open(real_data / "atlas" / name)
    scan = observed_again(image, frames)
    found = reconstruct(scan, scan, frames=frames, reference=image)
    off = off_by(found, scan.truth, scan.true_geometry, frames)
    assert np.sqrt((off**2).mean()) < 0.05
    assert found.geometry.rotation.value == pytest.approx(image.rotation.value, abs=0.01)
    assert str(image.scan_id) in found.reference
    assert found.simulated


# Bad input ------------------------------------------------------------------------------


def test_frames_that_are_not_there(look):
    scan = look(frames=[0])
    with pytest.raises(NotFoundError, match="no frame 14: this scan has frames 0 to 13"):
        reconstruct(scan, scan, frames=[0, 14])
    with pytest.raises(NotFoundError, match="no frames were given"):
        reconstruct(scan, scan, frames=[])
    with pytest.raises(NotFoundError, match="no frame 14"):
        reconstruct(scan, scan, frames=[0]).wcs(14)


@pytest.mark.parametrize("reference", [[], ["image.fits"], 3.0])
def test_a_reference_that_is_none(look, reference):
    scan = look(frames=[0])
    with pytest.raises(AtlasError, match="a reference is an Atlas Image"):
        reconstruct(scan, scan, frames=[0], reference=reference)


def test_a_reference_may_have_units_and_gaps(look, catalogue):
    scan = look()
    plain = catalogue(scan.sky)
    odd = QTable({"RA": plain["ra"] * u.deg, "decl": (plain["dec"] * 60) * u.arcmin})
    gaps = Table(plain, masked=True)
    gaps["ra"].mask[::7] = True
    same, fewer = (reconstruct(scan, scan, reference=table) for table in (odd, gaps))
    assert same.track.ra == pytest.approx(reconstruct(scan, scan, reference=plain).track.ra)
    assert 0 < fewer.reference_stars < same.reference_stars


def test_a_reference_without_places(look):
    scan = look(frames=[0])
    with pytest.raises(AtlasError, match="no columns ra and dec: it has flux"):
        reconstruct(scan, scan, frames=[0], reference=Table({"flux": [1.0]}))
