"""Stars of coadds: simulated ones whose truth is known, and real ones."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from scipy.spatial import cKDTree

import twomass_nb as tm
from twomass_nb.simulate.sky import StarField, render_stars
from twomass_nb.sources import SourceFlag, detect, merge, zero_point

#: The painted spread of all but the brightest stars lacks 1 % of their light.
PAINTED, WHOLE_FROM = 0.99, 60_000


@pytest.fixture(scope="module", params=["j", "k"])
def simulated(short_sample, request):
    """Image, its detections, and x, y, flux of its true stars."""
    band = request.param
    night = short_sample / "000529s"
    image = tm.AtlasImage.open(night / f"s063/image/{band}i0630021.fits.gz")
    sky = StarField(tm.open_scan(night / f"{band}1186063.rds.gz").track, 63, band)
    x, y = image.wcs.wcs_world2pix(sky.ra, sky.dec, 0)
    flux = sky.flux * np.where(sky.flux < WHOLE_FROM, PAINTED, 1)
    on = (x > -3) & (y > -3) & (x < 515) & (y < 1027)
    return image, detect(image), np.stack([x, y], axis=-1)[on], flux[on]


def test_isolated_stars_are_all_found_and_no_others(simulated):
    _, table, places, flux = simulated
    limit = 10 ** (0.4 * (table.meta["zero_point"] - table.meta["limit"]))
    alone = cKDTree(places).query(places, k=2)[0][:, 1] > 9
    inside = ((places > 5) & (places < [506, 1018])).all(axis=1)
    found = np.stack([table["x"], table["y"]], axis=-1)
    near = cKDTree(found).query(places)[0]
    assert np.all(near[alone & inside & (flux > limit)] < 1)
    # but for the surroundings of the star of magnitude 4, what is no star is faint
    star = places[np.argmax(flux)]
    far, _ = cKDTree(places).query(found)
    false = (far > 1.5) & (np.hypot(*(found - star).T) > 30)
    assert np.all(table["snr"][false] < 7)
    assert np.count_nonzero(false) <= 4


def test_magnitudes_are_right_and_errors_true(simulated):
    _, table, places, flux = simulated
    far, i = cKDTree(places).query(np.stack([table["x"], table["y"]], axis=-1))
    alone = cKDTree(places).query(places, k=2)[0][:, 1] > 9
    good = (far < 1) & alone[i] & (table["flags"] == 0) & (flux[i] < 1e6)
    off = np.asarray((table["flux"] - flux[i]) / table["flux_error"])[good]
    assert np.std(off) < 1.3
    bright = good & (table["snr"] > 80)
    mag = table.meta["zero_point"] - 2.5 * np.log10(flux[i])
    difference = (table["mag"].value - mag)[bright]
    assert np.std(difference) < 0.012
    assert abs(np.median(difference)) < 3 * 1.086 * table.meta["aperture_correction_error"]


def test_a_table_says_what_it_is(simulated):
    image, table, *_ = simulated
    assert table.meta["SIMULATE"] is True
    assert table.meta["band"] == image.band
    assert table.meta["zero_point"] == image.header["MAGZP"]
    assert "MAGZP" in table.meta["zero_point_from"]
    assert 2.7 < table.meta["fwhm"] < 3.1
    sky = SkyCoord(table["ra"], table["dec"])
    x, y = image.wcs.world_to_pixel(sky)
    assert x == pytest.approx(np.asarray(table["x"]), abs=1e-4)
    assert y == pytest.approx(np.asarray(table["y"]), abs=1e-4)
    faint = table[(table["snr"] < 25) & (table["flags"] == 0)]
    limit = faint["mag"].value + 2.5 * np.log10(faint["snr"] / 10)
    assert np.median(limit) == pytest.approx(table.meta["limit"], abs=0.1)
    table.write(io.StringIO(), format="ascii.ecsv")


@pytest.fixture(scope="module")
def real(real_data):
    """Detections of the real images of one coadd in three bands."""
    folder = real_data / "atlas"
    names = {band: f"a{band.upper()}_asky_001022s0620186.fits.gz" for band in "jhk"}
    return {band: detect(tm.AtlasImage.open(folder / name)) for band, name in names.items()}


def test_a_real_star_is_at_the_same_place_in_all_bands(real):
    bright = {band: t[(t["snr"] > 50) & (t["flags"] == 0)] for band, t in real.items()}
    merged = merge(bright)
    three = merged[merged["n"] == 3]
    assert len(three) >= 5
    assert np.median(three["spread"]) < 0.1 * u.arcsec
    assert np.mean(three["spread"] < 0.15 * u.arcsec) > 0.7
    assert merged.meta["SIMULATE"] is False


def test_real_limits_are_those_of_the_survey(real):
    # the survey's requirement for signal to noise 10 is 15.8, 15.1, 14.3; it does better
    for band, required in zip("jhk", (15.8, 15.1, 14.3), strict=True):
        assert required < real[band].meta["limit"] < required + 1.2


def test_the_same_pixels_of_two_real_images_give_the_same_magnitudes(real_data):
    one, other = (
        detect(tm.AtlasImage.open(real_data / "atlas" / f"aK_asky_990502s135{coadd}.fits.gz"))
        for coadd in ("0080", "0092")
    )
    assert len(one) > 2000
    tied = zero_point(other, one)
    assert tied.meta["zero_point_stars"] > 20
    assert tied.meta["zero_point"] == pytest.approx(other.meta["zero_point"], abs=0.02)
    assert tied.meta["zero_point_error"] < 0.005
    assert "990502s135 k coadd 80" in tied.meta["zero_point_from"]
    merged = merge({"one": one[one["snr"] > 30], "other": tied[tied["snr"] > 30]})
    both = merged[merged["n"] == 2]
    difference = (both["one_m"] - both["other_m"]).value
    assert np.median(np.abs(difference)) < 0.005
    assert np.median(both["spread"]) < 0.01 * u.arcsec
    assert np.count_nonzero(one["flags"] & SourceFlag.BLENDED) > 50


def test_stars_put_into_a_real_nebula_come_back(real_data):
    image = tm.AtlasImage.open(real_data / "atlas" / "aK_asky_990502s1350080.fits.gz")
    before = detect(image)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(20, 490, 120), rng.uniform(20, 1000, 120)
    alone = cKDTree(np.stack([before["x"], before["y"]], axis=-1)).query(np.c_[x, y])[0] > 6
    x, y = x[alone], y[alone]
    # signal to noise 50, where the noise is the image's median
    flux = 5 * 10 ** (0.4 * (before.meta["zero_point"] - before.meta["limit"]))
    added = render_stars(image.data.shape, x, y, np.full(len(x), flux), 1.0, blur=1.6)
    table = detect(tm.AtlasImage(image.data + added, image.header))
    far, i = cKDTree(np.stack([table["x"], table["y"]], axis=-1)).query(np.c_[x, y])
    assert len(x) > 50
    assert np.all(far < 1)
    # painted stars have none of the light beyond the fit that real ones have
    share = np.asarray(table["flux"][i]) / (PAINTED * flux * table.meta["aperture_correction"])
    assert np.median(share) == pytest.approx(1, abs=0.01)
    error = np.asarray(table["flux_error"][i]) / flux
    assert 0.7 < 1.4826 * np.median(np.abs(share - np.median(share)) / error) < 1.5
