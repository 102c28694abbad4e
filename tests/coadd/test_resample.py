"""A frame on other pixels has the same flux, in the right place, with the noise it says."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.array import ArrayGeometry
from twomass_nb.array.affine import affine_map
from twomass_nb.coadd.resample import KERNELS, require_kernel, resample
from twomass_nb.errors import NotFoundError

SHAPE = (560, 560)
NONE = np.zeros((256, 256), bool)
ONES = np.ones((256, 256), np.float32)


def turned(degrees: float, scale: float = 1.99, x: float = 20.3, y: float = 21.6) -> np.ndarray:
    angle = np.deg2rad(degrees)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[x, cos, -sin], [y, sin, cos]])


def stars(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame of stars of 1.6 pixels FWHM well inside, and their places."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(20, 235, (n, 2))
    y, x = np.mgrid[:256, :256]
    frame = np.zeros((256, 256))
    for cx, cy in at:
        frame += 1000 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 0.68**2))
    return frame.astype(np.float32), at


@pytest.mark.parametrize("kernel", KERNELS)
@given(st.floats(-1, 1), st.floats(1.9, 2.1), st.floats(15, 25), st.floats(15, 25))
@settings(max_examples=40, deadline=None)
def test_flux_is_kept(kernel, degrees, scale, x, y):
    frame, _ = stars(30, 1)
    one = resample(0, frame, ONES, NONE, turned(degrees, scale, x, y), SHAPE, kernel, 1.0)
    # between four pixels the light of a sharp star depends on where it falls: thirty seen .3 % off
    assert np.nansum(one.values) == pytest.approx(
        frame.sum(), rel={"bilinear": 1e-2}.get(kernel, 1e-4)
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_an_even_sky_stays_even_around_bad_pixels_and_at_the_rim(kernel):
    bad = np.random.default_rng(2).random((256, 256)) < 0.01
    sky = np.where(bad, np.nan, np.float32(600))
    affine = turned(0.3)
    one = resample(0, sky, ONES, bad, affine, SHAPE, kernel, 1.0)
    seen = one.weight > 0
    assert seen.sum() > 0.95 * 505**2
    np.testing.assert_allclose(one.values[seen], 600 / np.linalg.det(affine[:, 1:]), rtol=2e-5)
    assert np.isnan(one.values[~seen]).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_star_comes_to_its_place(kernel):
    for k in range(5):
        frame, at = stars(1, k)
        affine = turned(-0.4)
        one = resample(0, frame, ONES, NONE, affine, SHAPE, kernel, 1.0)
        values = np.nan_to_num(one.values)
        y, x = np.mgrid[: values.shape[0], : values.shape[1]]
        found = np.array([(values * x).sum(), (values * y).sum()]) / values.sum()
        expected = affine @ [1, *at[0]]
        np.testing.assert_allclose(found + np.array([0, one.first]), expected, atol=0.03)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_noise_is_what_the_variance_says(kernel):
    rng = np.random.default_rng(3)
    frame = 5 * rng.standard_normal((256, 256), np.float32)
    one = resample(0, frame, 25 * ONES, NONE, turned(0.35), SHAPE, kernel, 1.0)
    inner = np.s_[30:-30, 30:-30]
    said = np.sqrt(np.nanmean(one.variance[inner]))
    assert np.nanstd(one.values[inner]) == pytest.approx(said, rel=0.03)


def test_a_frame_that_misses_the_image_is_none():
    for x, y in ((-600, 20), (700, 20), (20, -600), (20, 700)):
        affine = turned(0.2, x=x, y=y)
        assert resample(0, ONES, ONES, NONE, affine, SHAPE, "turbo", 1.0) is None


def test_the_map_is_good_to_thousandths_over_a_frame():
    geometry = ArrayGeometry(1.9839, -0.21)
    center = SkyCoord(275.0, -16.2, unit="deg")
    frame = geometry.frame_wcs(center, 0.01)
    image = geometry.frame_wcs(center.directional_offset_by(10 * u.deg, 350 * u.arcsec), 0.0)
    image.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    image.wcs.cd = image.wcs.cd / 1.9839
    affine = affine_map(frame, image)
    x, y = np.random.default_rng(4).uniform(-0.5, 255.5, (2, 500))
    exact = np.array(image.wcs_world2pix(*frame.wcs_pix2world(x, y, 0), 0))
    linear = affine @ np.stack([np.ones(500), x, y])
    assert np.abs(exact - linear).max() < 0.006


@pytest.mark.parametrize(("kernel", "pixfrac"), [("lanczos3", 1), ("Turbo", 1), ("turbo", 0)])
def test_what_there_is_not_is_refused(kernel, pixfrac):
    with pytest.raises(NotFoundError, match=r"turbo|pixfrac"):
        require_kernel(kernel, pixfrac)
