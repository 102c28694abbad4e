"""The compare explorer's numbers: a frame in the coadd's pixels is where the sky says it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy import units as u

import twomass_nb as tm
from twomass_nb.errors import AtlasError, NotFoundError, TwomassError
from twomass_nb.explore import compare_model
from twomass_nb.explore.compare_coadd import signed_colours
from twomass_nb.explore.compare_model import CompareModel


@pytest.fixture(scope="module")
def night(short_sample):
    return short_sample / "000529s"


def stand_in(image, rows=slice(None)):
    """Return a part of a coadd as if it were ours: 2 DN higher, and one star too many."""
    header = image.header.copy()
    header["CRPIX2"] -= rows.start or 0
    data = image.data[rows] + 2.0
    data[100:103, 200:203] += 50.0
    return tm.AtlasImage(data, header)


@pytest.fixture
def model(night):
    return CompareModel(tm.open_scan(night / "j1186063.rds.gz"), coadd(night, "j"))


def coadd(night, band):
    return sorted((night / "s063" / "image").glob(f"{band}i*.fits.gz"))[1]


def test_it_starts_with_the_frame_in_the_middle_of_the_coadd(model):
    assert model.frame == model.image.coadd - 1
    frames = model.contributing()
    assert (frames[0], frames[-1]) == (model.image.first_frame, model.image.last_frame)


def test_each_coadd_pixel_shows_the_raw_pixel_under_it(model):
    model.go(model.frame + 2)
    shown = model.on_coadd()
    raw, scale = model.scan.difference(model.frame), 1.9966
    for row, column in ((300, 100), (512, 256), (640, 400)):
        sky = model.image.wcs.pixel_to_world(column, row)
        x, y = (round(float(v)) for v in model.wcs().world_to_pixel(sky))
        if 0 <= x < 256 and 0 <= y < 256:
            assert shown[row, column] == pytest.approx(raw[y, x] / scale**2)
        else:
            assert np.isnan(shown[row, column])
    area = np.isfinite(shown).sum() * 1.0  # square arcsec
    assert area == pytest.approx((256 * scale) ** 2, rel=0.03)


def test_what_moves_keeps_its_level_and_loses_hot_pixels(model):
    raw = model.raw()
    hot = np.unravel_index(np.argsort(raw.ravel())[-12:], raw.shape)
    still = [
        np.median([model.scan.difference(i)[y, x] for i in (2, 15, 30)])
        for y, x in zip(*hot, strict=True)
    ]
    model.cleaned = True
    cleaned = model.raw()
    assert np.median(cleaned) == pytest.approx(np.median(raw), rel=0.01)
    stays = still > np.median(raw) + 500
    assert stays.any()
    # a hot pixel's own noise remains
    assert np.abs(cleaned[hot][stays] - np.median(raw)).max() < 0.1 * (raw[hot][stays].max())


def test_noise_falls_as_frames_are_put_together(model):
    numbers = {what: (raw, together) for what, raw, together in model.numbers()}
    raw, together = (float(text) for text in numbers["noise a pixel, DN"])
    # SKYSIG of the simulated coadd; a raw pixel has four times its area and a sixth of its time
    assert together == pytest.approx(0.562, rel=0.15)
    assert raw > 5 * together
    sky = [float(text) for text in numbers["sky, DN a square arcsec"]]
    assert sky[0] == pytest.approx(sky[1], rel=0.05)
    assert model.depth() == pytest.approx(512 / 82.2, rel=0.02)


def test_noise_of_a_coadd_counts_what_neighbours_share(model, real_data):
    image = tm.AtlasImage.open(real_data / "atlas/aJ_asky_001022s0620186.fits.gz")
    _, noise = model._sky_and_noise(image.data, compare_model._APART_COADD)
    assert noise == pytest.approx(image.header["SKYSIG"], rel=0.02)
    _, neighbours = model._sky_and_noise(image.data, 1)
    assert neighbours < 0.6 * noise


def test_the_parity_is_found_on_asking(model):
    assert model.parity is None
    assert model.check_parity().east_left is True
    assert model.parity is not None


def test_what_does_not_go_together_is_refused(night, real_data):
    scan = tm.open_scan(night / "j1186063.rds.gz")
    with pytest.raises(TwomassError, match="compare the same band"):
        CompareModel(scan, coadd(night, "h"))
    late = sorted((real_data / "atlas").glob("aJ*.fits.gz"))[0]
    with pytest.raises(TwomassError, match="falls on"):
        CompareModel(scan, late)
    model = CompareModel(scan, coadd(night, "j"))
    with pytest.raises(NotFoundError, match="not on this coadd"):
        model.go(0)


def test_the_state_can_be_copied_and_restored(night, model):
    model.go(15)
    model.shown, model.cleaned, model.colours, model.limits = "raw frame", True, "grey", "95 %"
    other = CompareModel(model.scan, model.image)
    other.restore(json.loads(json.dumps(model.state())))
    assert other.state() == model.state()
    for wrong in ({"shown": "both"}, {"colour": 1}, {"frame": 0}):
        with pytest.raises(NotFoundError):
            other.restore(wrong)
    assert "SIMULATED" in model.frame_title()
    assert "SIMULATED" in model.picture_title()


def test_the_widget(night):
    explorer = tm.explore.compare(tm.open_scan(night / "k1186063.rds.gz"), coadd(night, "k"))
    explorer.shown.value = "raw frame"
    explorer.slider.value += 1
    assert explorer.state["shown"] == "raw frame"
    assert explorer.state["frame"] == explorer.model.image.coadd
    explorer.parity.click()
    assert "East is left" in explorer.telling.value
    explorer.state = {"frame": 3}
    assert "not on this coadd" in explorer.telling.value
    assert len(explorer._repr_mimebundle_()[0]["image/png"]) < 200_000
    assert explorer.model.scan.geometry().plate_scale == 1.9839 * u.arcsec


@pytest.fixture
def with_ours(night):
    atlas = tm.AtlasImage.open(coadd(night, "j"))
    return CompareModel(
        tm.open_scan(night / "j1186063.rds.gz"), atlas, coadd=stand_in(atlas, slice(200, 900))
    )


def test_ours_is_shown_where_it_is(with_ours):
    model = with_ours
    assert model.choices == ("coadd", "our coadd", "difference", "raw frame")
    assert model.turns == ("coadd", "our coadd")
    model.shown = "our coadd"
    shown, real = model.picture(), model.coadd()
    assert shown.shape == real.shape
    assert np.isnan(shown[:200]).all()
    assert np.isnan(shown[900:]).all()
    np.testing.assert_allclose(shown[400:900] - real[400:900], 2.0, atol=1e-3)
    # the same sky has the same colour, whatever its level was
    assert model.picture_range() == pytest.approx(np.add(model.range_of(real), 2.0), abs=1e-3)
    model.shown = "coadd"
    assert model.picture_range() == model.range_of(real)
    model.shown = "our coadd"
    assert model.picture_title().startswith("our coadd · frames")
    assert "SIMULATED" in model.picture_title()


def test_the_difference_is_signed_and_in_sigmas_of_the_sky(with_ours):
    model = with_ours
    model.shown = "difference"
    sigma = model.image.header["SKYSIG"]
    shown = model.picture()
    assert model.signed
    assert model.ours.level == pytest.approx(2.0, abs=1e-3)
    np.testing.assert_allclose(shown[301, 201], 50 / sigma, rtol=1e-3)
    assert abs(shown[600, 300]) < 1e-3
    for limits in ("99.7 %", "min – max"):
        model.limits = limits
        low, high = model.picture_range()
        assert low == -high
    assert high == pytest.approx(50 / sigma, rel=1e-3)
    assert "SKYSIG" in model.picture_title()
    assert "SIMULATED" in model.picture_title()
    middle = signed_colours()[127:129].mean(axis=0)
    assert (middle > 240).all()  # nothing is white
    assert signed_colours()[-1][0] > signed_colours()[-1][2]  # too bright is red


def test_ours_has_its_column(with_ours, model):
    for row in with_ours.numbers():
        assert len(row) == 4
    numbers = {row[0]: row[1:] for row in with_ours.numbers()}
    assert numbers["pixels"] == ("256 × 256", "512 × 1024", "512 × 1024")
    sky = [float(text) for text in numbers["sky, DN a square arcsec"]]
    assert sky[2] - sky[1] == pytest.approx(2.0, abs=0.2)
    sigma = with_ours.ours.sigma
    level = numbers[f"difference: level, scatter, SKYSIG ({sigma:.2f} DN)"][2].split(",")[0]
    assert float(level) == pytest.approx(2.0 / sigma, abs=0.01)
    assert all(len(row) == 3 for row in model.numbers())


def test_ours_that_does_not_go_with_it_is_refused(night, model, tmp_path):
    atlas = model.image
    moved = atlas.header.copy()
    moved["CRPIX1"] += 0.4
    with pytest.raises(AtlasError, match="like=real"):
        CompareModel(model.scan, atlas, coadd=tm.AtlasImage(atlas.data, moved))
    with pytest.raises(AtlasError, match="one band"):
        CompareModel(model.scan, atlas, coadd=tm.AtlasImage.open(coadd(night, "h")))
    with pytest.raises(AtlasError, match="no coadd of ours"):
        CompareModel(model.scan, atlas, coadd=coadd(night, "j"))
    for state in ({"shown": "difference"}, {"shown": "our coadd"}):
        with pytest.raises(NotFoundError):
            model.restore(state)


def test_the_widget_with_ours(night):
    atlas = tm.AtlasImage.open(coadd(night, "k"))
    explorer = tm.explore.compare(
        tm.open_scan(night / "k1186063.rds.gz"), atlas, coadd=stand_in(atlas)
    )
    assert "our coadd" in explorer.table.value
    explorer.shown.value = "difference"
    assert explorer.stretch.disabled
    assert explorer.colours.disabled
    assert "SKYSIG" in explorer.figure.sky.figure.title.text
    state = explorer.state
    assert len(explorer._repr_mimebundle_()[0]["image/png"]) < 200_000
    explorer.blink.value = 1
    assert explorer.state["shown"] == "our coadd"
    assert not explorer.stretch.disabled
    explorer.state = state
    assert explorer.shown.value == "difference"
