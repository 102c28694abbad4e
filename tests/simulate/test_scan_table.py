from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from twomass_nb.errors import TableError
from twomass_nb.simulate.scan_table import scan_table
from twomass_nb.tables import as_scan_table, is_simulated


@pytest.fixture(scope="module")
def survey():
    return scan_table()


def corner(table, k):
    return SkyCoord(table[f"ra_{k}"], table[f"dec_{k}"], unit="deg")


def test_it_has_the_survey_s_number_of_scans_and_says_that_it_is_simulated(survey):
    assert len(survey) == 59731
    assert survey.meta["SIMULATE"] is True
    assert is_simulated(survey)
    assert set(survey["source"]) == {"sim"}


def test_it_is_a_scan_table(survey):
    assert len(as_scan_table(survey)) == 59731
    first = ["scan_key", "hemis", "date", "scan", "tile", "ra", "dec", "glon", "glat"]
    assert survey.colnames[:9] == first
    assert {"sd", "qual", "hgl", "cld", "xph", "anom"} <= set(survey.colnames)
    assert survey["ra_1"].unit == u.deg


def test_every_scan_is_one_scan(survey):
    keys = set(zip(survey["date"], survey["hemis"], survey["scan"], strict=True))
    assert len(keys) == len(survey)
    assert survey["scan"].min() >= 1
    assert survey["scan"].max() <= 999
    assert np.array_equal(survey["scan_key"], np.arange(1, 59732))
    assert min(survey["date"]) >= "1997-06-07"
    assert max(survey["date"]) <= "2001-02-15"
    assert set(survey["sd"]) == {"n", "s"}
    assert ((survey["dec"] >= 0) == (survey["hemis"] == "n")).all()


def test_tiles_are_as_documented(survey):
    tiles = len(set(survey["tile"]))
    assert 59700 <= tiles <= 59731
    # 311 tiles come near each pole
    for sign in (-1, 1):
        assert len(set(survey["tile"][sign * survey["dec"] > 86])) == 311
    for band in range(-90, 90, 6):
        dec = survey["dec"]
        rows = survey[(dec > band + 1) & (dec < band + 5)]
        _, once = np.unique(rows["tile"], return_index=True)
        ra = np.sort(np.asarray(rows["ra"][once]))
        gaps = np.diff(np.append(ra, ra[0] + 360))
        assert np.ptp(gaps) < 3e-6  # evenly spread, across RA 0 too
        equatorward = min(abs(band), abs(band + 6))
        spacing = gaps[0] * 3600 * np.cos(np.deg2rad(equatorward))
        assert spacing == pytest.approx(435.8, abs=1.5)  # 7.26 arcmin


def test_scans_overlap_as_documented(survey):
    for ends in ((1, 2), (3, 4)):
        width = corner(survey, ends[0]).separation(corner(survey, ends[1])).arcsec
        # the catalogue left out 10 arcsec at each edge; then tiles overlap by 51 to 52
        assert np.abs(width - 435.8 - 20 - 51.4).max() < 0.3
    length = corner(survey, 1).separation(corner(survey, 3)).deg
    assert np.abs(length - 6 - 8.5 / 60).max() < 0.001


def test_corners_are_numbered_by_direction_and_side(survey):
    away = survey[np.abs(survey["dec"]) < 80]
    northward = away["dec_3"] > away["dec_1"]
    assert (northward == (away["sd"] == "n")).all()
    for east, west in ((1, 2), (3, 4)):
        ahead = np.mod(away[f"ra_{east}"] - away[f"ra_{west}"], 360)
        assert ((ahead > 0) & (ahead < 5)).all()


def test_scans_reach_over_the_poles(survey):
    for sign in (-1, 1):
        polar = survey[sign * survey["dec"] > 86]
        pole = SkyCoord(0, sign * 90, unit="deg")
        nearest = np.min([pole.separation(corner(polar, k)).arcmin for k in (1, 2, 3, 4)], axis=0)
        assert (nearest < 8).all()


def test_the_same_seed_gives_the_same_table():
    a, b, c = scan_table(500, seed=1), scan_table(500, seed=1), scan_table(500, seed=2)
    assert all(np.array_equal(a[name], b[name]) for name in a.colnames)
    assert not np.array_equal(a["tile"], c["tile"])


@pytest.mark.parametrize("n", [1, 2, 77])
def test_fewer_scans_are_a_choice_of_the_tiles(survey, n):
    table = scan_table(n)
    assert len(table) == n
    assert len(set(table["tile"])) == n
    assert set(table["tile"]) <= set(survey["tile"])
    as_scan_table(table)


def test_more_scans_are_repeats_on_other_nights():
    table = scan_table(100_000)
    keys = set(zip(table["date"], table["hemis"], table["scan"], strict=True))
    assert len(keys) == 100_000
    assert table["scan"].max() <= 999


@pytest.mark.parametrize("n", [0, -1, 10**7])
def test_impossible_numbers_are_refused(n):
    with pytest.raises(TableError):
        scan_table(n)
