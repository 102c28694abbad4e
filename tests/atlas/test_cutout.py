"""A cutout says what it shows and of what it is made; what cannot be made is one clear line."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from twomass_nb.atlas import cut_out
from twomass_nb.errors import AtlasError, ExistsError, NotFoundError, TwomassError, TwomassWarning

NGC309 = SkyCoord(14.1889, -10.0321, unit="deg")
SIDE = 100 * u.arcsec


@pytest.fixture(scope="module")
def cutout(ngc309):
    return cut_out(ngc309, NGC309, SIDE)


def test_it_is_one_grid_north_up_at_one_arcsec(cutout):
    assert cutout.bands == ("j", "h", "k")
    assert cutout.size == SIDE
    for band, image in cutout.images.items():
        assert image.data.shape == (100, 100)
        assert image.data.dtype == np.float32
        assert image.unit == u.adu
        assert not image.mask.any()
        assert cutout.covered(band) == 1
    assert cutout.wcs.wcs.compare(cutout.k.wcs.wcs)
    middle = cutout.wcs.pixel_to_world(49.5, 49.5)
    assert middle.separation(NGC309) < 1e-6 * u.arcsec
    north, west = cutout.wcs.pixel_to_world(49.5, 59.5), cutout.wcs.pixel_to_world(59.5, 49.5)
    assert middle.separation(north).arcsec == pytest.approx(10, rel=1e-6)
    assert middle.position_angle(north).wrap_at(180 * u.deg).deg == pytest.approx(0, abs=1e-4)
    assert middle.position_angle(west).deg == pytest.approx(270, abs=1e-2)
    assert cutout.wcs.wcs.radesys == "ICRS"


def test_it_says_what_it_is_made_of(cutout, ngc309):
    assert len(cutout.sources) == 3
    for row in cutout.sources:
        assert (row["scan_id"], row["coadd"]) == ("001022s062", 186)
        assert row["pixels"] == 10_000
        assert (row["scale"], row["simulated"]) == (1, False)
        assert row["offset"] == pytest.approx(0, abs=1e-6)
    for image in ngc309:
        assert cutout.images[image.band].meta["MAGZP"] == image.header["MAGZP"]
    assert not cutout.simulated
    assert repr(cutout) == (
        "<Cutout 00h56m45.3s -10d01m55.6s, 100 arcsec, J H Ks, from 3 Atlas Images>"
    )


def test_it_shows_the_images_own_pixels(cutout, ngc309):
    """On the image's grid but for a small shift, interpolated pixels are like their own."""
    (image,) = (one for one in ngc309 if one.band == "j")
    y, x = np.mgrid[:100, :100]
    u_, v = image.wcs.world_to_pixel(cutout.wcs.pixel_to_world(x, y))
    nearest = image.data[np.rint(v).astype(int), np.rint(u_).astype(int)]
    assert np.corrcoef(nearest.ravel(), cutout.j.data.ravel())[0, 1] > 0.9


def test_the_file_holds_all_of_it(cutout, tmp_path):
    path = cutout.write(tmp_path / "cutout.fits")
    with fits.open(path) as hdus:
        names = [hdu.name for hdu in hdus]
        assert names == [
            "PRIMARY", "J", "J_COVERAGE", "H", "H_COVERAGE", "KS", "KS_COVERAGE", "SOURCES",
        ]  # fmt: skip
        for band, name in (("j", "J"), ("h", "H"), ("k", "KS")):
            assert np.array_equal(hdus[name].data, cutout.images[band].data)
            assert (hdus[f"{name}_COVERAGE"].data == 1).all()
            assert WCS(hdus[name].header).wcs.compare(cutout.wcs.wcs, tolerance=1e-12)
            assert hdus[name].header["MAGZP"] == cutout.images[band].meta["MAGZP"]
            assert hdus[name].header["BUNIT"] == "adu"
        assert not any("SIMULATE" in hdu.header for hdu in hdus)
    assert Table.read(path, hdu="SOURCES")["scan_id"].tolist() == ["001022s062"] * 3
    with pytest.raises(ExistsError):
        cutout.write(path)
    cutout.write(path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["cutout.fits"]


def test_it_is_drawn_with_the_grid(cutout, ngc309):
    assert cutout._repr_png_().startswith(b"\x89PNG")
    figure = cutout.plot()
    panels = [axes for axes in figure.axes if hasattr(axes, "coords")]
    assert [axes.get_title() for axes in panels] == ["J", "H", "Ks"]
    assert panels[0].coords["ra"].get_axislabel() == "RA (J2000)"
    with pytest.warns(TwomassWarning):
        part = cut_out(ngc309, NGC309.directional_offset_by(90 * u.deg, 250 * u.arcsec), SIDE, "j")
    assert part.to_png().startswith(b"\x89PNG")


def test_simulated_images_stay_simulated(coadds, tmp_path):
    made = cut_out(coadds, coadds[0].wcs.pixel_to_world(255.5, 511.5), SIDE, "j")
    assert made.simulated
    assert "SIMULATED" in repr(made)
    assert "SIMULATED" in made.plot().axes[0].get_title()
    with fits.open(made.write(tmp_path / "a.fits")) as hdus:
        assert all(hdu.header["SIMULATE"] for hdu in hdus)


def test_real_and_simulated_are_never_joined(ngc309, placed):
    (real,) = (one for one in ngc309 if one.band == "j")
    made_up = placed(0, NGC309.ra.deg, NGC309.dec.deg)
    with pytest.raises(AtlasError, match=r"001022s062.*000529s063.*never joined"):
        cut_out([real, made_up], NGC309, SIDE, "j")


def test_an_image_given_twice_counts_once(ngc309):
    (image,) = (one for one in ngc309 if one.band == "h")
    made = cut_out([image, image.path], NGC309, SIDE, "h")
    assert len(made.sources) == 1
    assert made.coverage["h"].max() == 1


def test_what_is_not_covered_is_nan_and_said(ngc309):
    edge = NGC309.directional_offset_by(0 * u.deg, 511 * u.arcsec)
    images = [one for one in ngc309 if one.band != "h"]
    with pytest.warns(TwomassWarning, match=r"J 49%, H 0%, Ks 49%"):
        made = cut_out(images, edge, SIDE)
    assert made.covered("j") == pytest.approx(0.49, abs=0.01)
    assert np.array_equal(np.isnan(made.j.data), made.j.mask)
    assert np.array_equal(made.j.mask, made.coverage["j"] == 0)
    assert made.bands == ("j", "k")
    with pytest.raises(NotFoundError, match="no H image"):
        _ = made.h


@pytest.mark.parametrize(
    ("place", "side", "words"),
    [
        (SkyCoord(14.19, 10.03, unit="deg"), SIDE, "no Atlas Image at hand covers"),
        (SkyCoord(194.19, 10.03, unit="deg"), SIDE, "no Atlas Image at hand covers"),
        (NGC309, 1.01 * u.deg, "too large"),
        (NGC309, 1 * u.arcsec, "at least 3 arcsec"),
        (NGC309, -5 * u.arcmin, "at least 3 arcsec"),
        (NGC309, np.nan * u.deg, "at least 3 arcsec"),
        (NGC309, np.inf * u.deg, "at least 3 arcsec"),
    ],
)
def test_what_cannot_be_is_one_clear_line(ngc309, place, side, words):
    with pytest.raises(TwomassError, match=words) as caught:
        cut_out(ngc309, place, side)
    assert "\n" not in str(caught.value)


def test_images_without_zero_point_are_not_scaled(placed):
    image = placed(0, 100.0, 0.0, sky=50)
    del image.header["MAGZP"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = cut_out([image], SkyCoord(100.0, 0.0, unit="deg"), SIDE, "j")
    assert "MAGZP" not in made.j.meta
    assert made.j.data == pytest.approx(np.full((100, 100), 50), abs=1e-3)
