"""A coadd shows the sky that its frames saw: stars, level, noise, where and how it says."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits

import twomass_nb as tm
from twomass_nb.coadd import Coadd, stack, tile
from twomass_nb.errors import AtlasError, CalibrationError, ExistsError, NotFoundError


@pytest.fixture(scope="module")
def made(night):
    return stack(night.scan, night.calibrator, like=night.images[0], sky=night.sky)


def test_it_has_the_grid_of_its_like_and_says_what_it_is(night, made):
    like = night.images[0]
    assert made.data.shape == like.data.shape
    assert made.scan_id == like.scan_id
    assert (made.band, made.coadd) == (like.band, like.coadd)
    assert made.simulated
    assert "simulated" in repr(made)
    assert "Coadd" in repr(made)
    x, y = np.array([0, 511.0, 300.0]), np.array([0, 1023.0, 500.0])
    np.testing.assert_allclose(made.wcs.wcs_pix2world(x, y, 0), like.wcs.wcs_pix2world(x, y, 0))
    assert made.header["DARK1"] == "000529s995"
    assert made.frame_step[1].value == pytest.approx(night.scan.track.step, abs=0.05)


def test_six_or_seven_frames_see_each_place(made):
    inner = made.coverage[100:900, 20:490]
    # of a bad pixel some frames are lost
    assert np.mean((inner >= 6) & (inner <= 7)) > 0.98
    assert inner.min() >= 3


def test_noise_is_what_the_uncertainty_says(made):
    # neighbours are alike: a pixel's own scatter, over the sky between stars
    data, error = made.data[60:960, 20:490], made.uncertainty[60:960, 20:490]
    pull = (data - np.median(data)) / error
    assert 1.4826 * np.median(np.abs(pull)) == pytest.approx(1, abs=0.12)


def test_stars_have_their_light_where_it_belongs(night, made):
    from twomass_nb.simulate.sky import StarField

    truth = StarField(night.scan.track, 5, "k")
    x, y = made.wcs.wcs_world2pix(truth.ra, truth.dec, 0)
    mag = truth.mag[:, 2]
    inside = (np.abs(x - 256) < 230) & (np.abs(y - 512) < 480)
    flux, moved = [], []
    for k in np.flatnonzero(inside & (mag > 9) & (mag < 12.5)):
        near = np.hypot(x - x[k], y - y[k]) < 25
        if (mag[near] < mag[k] + 5).sum() > 1:
            continue
        j, i = round(y[k]), round(x[k])
        cut = made.data[j - 12 : j + 13, i - 12 : i + 13].astype(float)
        v, w = np.mgrid[-12:13, -12:13]
        ring = np.hypot(v, w)
        cut -= np.median(cut[(ring > 9) & (ring < 12)])
        star = cut * (ring < 8)
        flux.append(star.sum() / truth.flux[k])
        core = cut * (ring < 4)
        moved.append(
            [(core * w).sum() / core.sum() + i - x[k], (core * v).sum() / core.sum() + j - y[k]]
        )
    flux, moved = np.array(flux), np.array(moved)
    assert len(flux) >= 4
    # aperture and sky ring hold 97 to 100 % of a star; responsivity within a pixel scatters it
    assert np.median(flux) == pytest.approx(0.99, abs=0.025)
    assert np.std(flux) < 0.03
    # the positions are tied to stars of the painted image, which are good to .02
    assert np.abs(np.median(moved, axis=0)).max() < 0.08
    assert np.std(moved, axis=0).max() < 0.1


def test_the_level_of_the_sky_stays(night, made):
    from twomass_nb.simulate.sky import SKYVAL

    # the simulated airglow drifts by 2 %
    assert made.header["SKYVAL"] == pytest.approx(SKYVAL["k"], rel=0.03)


def test_around_a_position_it_is_centred_there(night):
    at = night.scan.track.center(14)
    one = stack(night.scan, night.calibrator, centre=at, size=(200, 300) * u.arcsec, sky=night.sky)
    assert one.data.shape == (300, 200)
    x, y = one.wcs.world_to_pixel(at)
    assert (x, y) == pytest.approx((99.5, 149.5), abs=1e-3)
    east = one.wcs.pixel_to_world(x - 1, y)
    assert at.separation(east).arcsec == pytest.approx(1, abs=1e-3)
    assert east.ra > at.ra
    assert np.isfinite(one.data).mean() > 0.99
    assert one.coadd == 15


@pytest.mark.parametrize("kernel", ["bilinear", "turbo"])
def test_other_kernels_show_the_same_sky_with_wider_stars_and_less_noise(night, made, kernel):
    other = stack(night.scan, night.calibrator, night.images[0], sky=night.sky, kernel=kernel)
    difference = (other.data - made.data)[60:960, 20:490]
    assert abs(np.nanmedian(difference)) < 0.1
    assert np.nanmax(other.data) < np.nanmax(made.data)
    assert other.header["SKYSIG"] < made.header["SKYSIG"]
    assert other.header["KERNEL"] == kernel


def test_a_tile_is_the_images_of_the_survey(night):
    images = list(tile(night.scan, night.calibrator, sky=night.sky))
    assert [one.coadd for one in images] == [one.coadd for one in night.images]
    for one, painted in zip(images, night.images, strict=True):
        assert one.data.shape == painted.data.shape
        place, expected = (SkyCoord(*im.wcs.wcs.crval, unit="deg") for im in (one, painted))
        assert place.separation(expected).arcsec < 2
        assert one.track.step == pytest.approx(painted.track.step, abs=0.2)


def test_it_comes_back_from_a_file(made, tmp_path):
    for name in ("k.fits", "k.fits.gz"):
        path = made.write_to(tmp_path / name)
        again = Coadd.open(path)
        for plane in ("data", "coverage", "uncertainty"):
            np.testing.assert_array_equal(getattr(again, plane), getattr(made, plane))
        assert again.simulated
        assert tm.AtlasImage.open(path).scan_id == made.scan_id
        with pytest.raises(ExistsError):
            made.write_to(path)
        made.write_to(path, overwrite=True)
    with fits.open(tmp_path / "k.fits") as hdus:
        assert all(hdu.header["SIMULATE"] for hdu in hdus)
        hdus.verify("exception")


def test_an_image_of_the_survey_is_no_coadd_of_ours(night):
    with pytest.raises(AtlasError, match="no coadd of ours"):
        Coadd.open(night.images[0].path)


def test_what_cannot_be_is_said(night):
    scan, calibrator, like = night.scan, night.calibrator, night.images[0]
    at = scan.track.center(3)
    for wrong in ({}, {"like": like, "centre": at}, {"like": like, "size": 100 * u.arcsec}):
        with pytest.raises(NotFoundError, match=r"like=.*centre=|goes with"):
            stack(scan, calibrator, **wrong)
    with pytest.raises(NotFoundError, match="does not see"):
        stack(scan, calibrator, centre=SkyCoord(10, 80, unit="deg"))
    for size in (0 * u.arcsec, (1, 2, 3) * u.arcsec, 3 * u.s, np.nan * u.arcsec):
        with pytest.raises(NotFoundError, match="size="):
            stack(scan, calibrator, centre=at, size=size)
    with pytest.raises(NotFoundError, match="no kernel"):
        stack(scan, calibrator, like, kernel="sinc")


def test_another_band_is_refused(night, tmp_path):
    folder = tm.simulate.scan(tmp_path, "000529s063", "j", 5, 8, coadds=False, darks=0, twilights=0)
    other = tm.open_scan(folder / "j1186063.rds.gz")
    with pytest.raises(AtlasError, match="band k"):
        stack(other, night.calibrator, night.images[0])
    with pytest.raises(AtlasError, match="band k"):
        stack(other, night.calibrator, night.images[0].path)
    with pytest.raises(CalibrationError):
        stack(other, night.calibrator, centre=other.track.center(3))
