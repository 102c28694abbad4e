"""Stars found in pictures whose stars are known."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import COADD, FRAME, grid, paint

from twomass_nb.errors import TwomassError
from twomass_nb.sources import SourceFlag, find

COLUMNS = ["x", "y", "place_error", "flux", "flux_error", "peak", "snr", "flags"]


@pytest.mark.parametrize(
    "data",
    [
        np.random.default_rng(1).normal(400, 2.0, (256, 256)),
        np.zeros((256, 256)),
        np.full((64, 30), np.nan),
        np.full((5, 3), 7.0),
    ],
    ids=["noise", "flat", "nothing", "tiny"],
)
def test_an_empty_picture_has_no_stars(data):
    found = find(data, noise=2.0, fwhm=1.4, threshold=6.0)
    assert len(found) == 0
    assert found.colnames == COLUMNS


@pytest.mark.parametrize("kind", [FRAME, COADD], ids=["frame", "coadd"])
def test_bright_stars_come_back_whatever_their_place_within_a_pixel(kind):
    picture = grid(kind, [2e4], noise=2.0, seed=3)
    true, found = picture.match(table := find(picture.data, noise=2.0, fwhm=picture.fwhm))
    assert len(true) == len(picture.x) == len(table)
    x, y, flux = (np.asarray(table[name][found]) for name in ("x", "y", "flux"))
    off = np.concatenate([x - picture.x[true], y - picture.y[true]])
    phase = np.concatenate([picture.x[true] % 1, picture.y[true] % 1])
    assert np.std(off) < 0.004
    for harmonic in (np.sin, np.cos):
        assert abs(2 * np.mean(off * harmonic(2 * np.pi * phase))) < 0.004
    assert np.median(flux / picture.flux[true]) == pytest.approx(1, abs=0.005)
    assert np.std(flux / picture.flux[true]) < 0.005
    assert not table["flags"].any()


def test_pixels_that_respond_unevenly_within_do_little_harm():
    picture = grid(FRAME, [2e4], noise=2.0, seed=3, within=True)
    true, found = picture.match(table := find(picture.data, noise=2.0, fwhm=1.4))
    assert np.std(table["x"][found] - picture.x[true]) < 0.004
    assert np.std(table["flux"][found] / picture.flux[true]) < 0.004


@pytest.mark.parametrize("kind", [FRAME, COADD], ids=["frame", "coadd"])
def test_errors_are_what_the_noise_makes(kind):
    off = []
    for seed in range(3):
        picture = grid(kind, [300, 1500, 8000], noise=5.0 / kind[2], seed=seed)
        table = find(picture.data, noise=picture.noise, fwhm=picture.fwhm)
        true, found = picture.match(table)
        row = table[found]
        off.append(
            [
                (row["x"] - picture.x[true]) / row["place_error"],
                (row["y"] - picture.y[true]) / row["place_error"],
                (row["flux"] - picture.flux[true]) / row["flux_error"],
            ]
        )
    off = np.concatenate(off, axis=1)
    assert np.all(np.abs(np.std(off, axis=1) - 1) < 0.2)
    assert np.all(np.abs(np.mean(off, axis=1)) < 0.3)


@pytest.mark.parametrize("about", [1.3, 1.4, 1.6])
def test_the_spread_is_measured_whatever_width_it_is_looked_for_about(about):
    picture = grid((1.98, 1.2, 1.6), [1e4], noise=2.0, seed=4)
    true, found = picture.match(table := find(picture.data, noise=2.0, fwhm=about))
    assert table.meta["fwhm"] == pytest.approx(1.52, abs=0.02)
    assert np.median(table["flux"][found] / picture.flux[true]) == pytest.approx(1, abs=0.005)
    assert np.std(table["x"][found] - picture.x[true]) < 0.002


def test_a_bright_thing_of_another_shape_is_no_measure_of_the_stars():
    picture = grid(FRAME, [8e3], noise=2.0, seed=4)
    x, y = (round(float(one[20])) for one in (picture.x, picture.y))
    spoilt = picture.data.copy()
    spoilt[y, x - 7 : x + 8] += 1e4
    spoilt[y - 7 : y + 8, x] += 1e4
    table = find(spoilt, noise=2.0, fwhm=1.4)
    plain = find(picture.data, noise=2.0, fwhm=1.4)
    assert table.meta["fwhm"] == pytest.approx(plain.meta["fwhm"], abs=0.03)


def test_places_are_less_certain_where_stars_are_two_at_a_time():
    picture = grid(FRAME, [1e4], noise=2.0, seed=6)
    second = paint(FRAME, picture.x + 1.3, picture.y, 0.15 * picture.flux, 0.0, (256, 256), level=0)
    single = np.arange(256) < 128
    table = find(picture.data + np.where(single, 0, second.data), noise=2.0, fwhm=1.4)
    true, found = picture.match(table)
    error, single = np.asarray(table["place_error"][found]), picture.x[true] < 128
    assert np.median(error[~single]) > 5 * np.median(error[single])


def test_all_stars_above_the_threshold_are_found_and_nothing_else():
    picture = grid(COADD, [60, 120, 1000], noise=1.0, shape=(512, 512), seed=5)
    table = find(picture.data, noise=1.0, fwhm=3.0, threshold=5.0)
    true, found = picture.match(table, within=0.7)
    assert len(true) == len(picture.x)
    false = np.setdiff1d(np.arange(len(table)), found)
    # of 500 independent places one or two may be 5 sigmas high
    assert len(false) <= 2
    assert all(table["snr"][false] < 6)


def test_the_photons_of_bright_stars_are_in_their_errors_where_the_gain_is_known():
    picture = grid(COADD, [1e4], noise=1.0, seed=1)
    plain = find(picture.data, noise=1.0, fwhm=3.0)
    told = find(picture.data, noise=1.0, fwhm=3.0, gain=0.5)
    assert np.all(told["flux_error"] > np.sqrt(told["flux"] / 0.5))
    assert np.all(plain["flux_error"] < 0.01 * plain["flux"])


def test_a_nebula_and_a_slope_do_not_move_magnitudes():
    plain = grid(COADD, [3e3], noise=1.0, shape=(256, 256), seed=2)
    y, x = np.mgrid[:256, :256]
    nebula = 300 * np.exp(-((x - 90) ** 2 + (y - 140) ** 2) / (2 * 45**2)) + 0.5 * x
    table = find(plain.data + nebula, noise=1.0, fwhm=3.0)
    true, found = plain.match(table)
    assert len(true) == len(plain.x)
    assert np.median(table["flux"][found] / plain.flux[true]) == pytest.approx(1, abs=0.01)
    assert np.std(table["flux"][found] / plain.flux[true]) < 0.02


def test_neighbours_are_told_apart():
    x, y = np.array([60.2, 64.9, 150.0]), np.array([80.0, 80.4, 150.3])
    lonely = grid(COADD, [2e4], noise=1.0, shape=(256, 256), cell=64)
    x, y = np.append(x, lonely.x), np.append(y, lonely.y)
    far = (np.hypot(x - 62, y - 80) > 25) | (np.arange(len(x)) < 3)
    x, y, flux = x[far], y[far], np.append([1e4, 6e3, 8e3], np.full(len(lonely.x), 2e4))[far]
    picture = paint(COADD, x, y, flux, 1.0, (256, 256))
    table = find(picture.data, noise=1.0, fwhm=3.0)
    true, found = picture.match(table)
    assert list(true) == list(range(len(x)))
    assert table["flux"][found[:3]] == pytest.approx(picture.flux[:3], rel=0.01)
    blended = table["flags"][found] & SourceFlag.BLENDED > 0
    assert blended[:3].tolist() == [True, True, False]


def test_flags_say_what_is_wrong_with_a_star():
    x, y = np.array([0.4, 60.0, 120.0, 180.0]), np.array([100.0, 100.0, 100.0, 100.0])
    picture = paint(FRAME, x, y, [3e3, 3e3, 3e4, 3e3], 2.0, (256, 256))
    mask = np.zeros(picture.data.shape, bool)
    mask[101, 60] = True
    table = find(picture.data, noise=2.0, fwhm=1.4, mask=mask, saturation=5000)
    true, found = picture.match(table)
    flags = dict(zip(true, table["flags"][found], strict=True))
    assert flags[0] & SourceFlag.EDGE
    assert flags[1] & SourceFlag.MASKED
    assert flags[2] & SourceFlag.SATURATED
    assert flags[3] == 0


def test_masked_pixels_may_hold_anything():
    picture = grid(FRAME, [3e3], noise=2.0)
    rng = np.random.default_rng(8)
    mask = rng.uniform(size=picture.data.shape) < 0.01
    spoilt = np.where(mask, 1e6, picture.data)
    table = find(spoilt, noise=2.0, fwhm=1.4, mask=mask)
    holes = find(np.where(mask, np.nan, picture.data), noise=2.0, fwhm=1.4)
    assert list(table["flux"]) == list(holes["flux"])
    clean = table[table["flags"] == 0]
    true, found = picture.match(clean)
    assert len(true) > 0.6 * len(picture.x)
    assert np.std(clean["flux"][found] / picture.flux[true]) < 0.02


def test_where_a_picture_is_cut_and_how_high_its_sky_is_does_not_matter():
    picture = grid(COADD, [2e3], noise=1.0, seed=9)
    table = find(picture.data, noise=1.0, fwhm=3.0)
    raised = find(picture.data + 1000, noise=1.0, fwhm=3.0)
    turned = find(picture.data.T, noise=1.0, fwhm=3.0)
    assert raised["flux"] == pytest.approx(table["flux"], rel=1e-3)
    assert np.sort(turned["y"]) == pytest.approx(np.sort(table["x"]), abs=0.003)


def test_without_the_extra_its_name_is_said(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TwomassError, match=r"pip install 'twomass_nb\[reduce\]'"):
        find(np.zeros((32, 32)), noise=1.0, fwhm=1.4)
