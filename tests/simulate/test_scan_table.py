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


def test_more_scans_are_repeats_and_calibration_on_other_nights():
    table = scan_table(100_000)
    keys = set(zip(table["date"], table["hemis"], table["scan"], strict=True))
    assert len(keys) == 100_000
    assert table["scan"].max() <= 999


@pytest.fixture(scope="module")
def archive():
    """All of the raw archive's scans."""
    return scan_table(205_071)


def test_the_raw_archive_has_its_number_of_scans_and_every_one_is_one(archive):
    assert len(archive) == 205_071
    assert len(set(zip(archive["date"], archive["hemis"], archive["scan"], strict=True))) == 205_071
    assert archive["scan"].max() <= 999
    assert is_simulated(archive)
    assert set(archive["source"]) == {"sim"}
    as_scan_table(archive)


def test_types_and_frames_are_those_of_the_raw_scan_table(archive, survey):
    assert set(archive["s_type"]) == {"sci", "cal"}
    assert np.count_nonzero(archive["as_cat"] == "y") == 59731
    assert (archive["s_type"][archive["as_cat"] == "y"] == "sci").all()
    for kind, hemis, frames in (("sci", "n", 273), ("sci", "s", 274), ("cal", "n", 48)):
        some = (archive["s_type"] == kind) & (archive["hemis"] == hemis)
        assert set(archive["frames"][some]) == {frames}
    # the working databases hold 73,230 calibration scans beside 70,712 of the survey
    share = np.count_nonzero(archive["s_type"] == "cal") / len(archive)
    assert share == pytest.approx(73_230 / (73_230 + 70_712), abs=1e-4)
    assert "s_type" not in survey.colnames  # twomass_scn has no such column


def test_calibration_fields_are_as_documented(archive):
    cal = archive[archive["s_type"] == "cal"]
    _, first, times = np.unique(cal["tile"], return_index=True, return_counts=True)
    assert len(times) == 40
    assert times.min() >= 240
    assert times.max() <= 3750
    assert np.sort(times)[5] >= 600  # all but the five in the Magellanic Clouds
    field = cal[first]
    length = corner(field, 1).separation(corner(field, 3)).deg
    width = corner(field, 1).separation(corner(field, 2)).arcmin
    assert np.abs(length - 1).max() < 0.01
    assert np.abs(width - 8.45).max() < 0.01
    regular = np.sort(times)[-35:].min() <= times
    zone = np.rint(np.asarray(field["dec"][regular]) / 30)
    assert set(zone) == {-1, 0, 1}
    assert (np.abs(np.asarray(field["dec"][regular]) - 30 * zone) < 2).all()
    # equatorial fields are seen from both sites, the others from one
    sites = {tile: set(cal["hemis"][cal["tile"] == tile]) for tile in field["tile"]}
    for row in field:
        south = row["dec"] < -10
        assert sites[row["tile"]] == (
            {"n", "s"} if abs(row["dec"]) < 10 else {"s" if south else "n"}
        )


def test_a_field_is_visited_in_six_scans_of_alternating_direction(archive):
    cal = archive[archive["s_type"] == "cal"]
    night = cal[(cal["date"] == cal["date"][0]) & (cal["hemis"] == cal["hemis"][0])]
    visit = night[(night["scan"] - 1) // 12 == (night["scan"][0] - 1) // 12]
    assert len(visit) == 6
    assert len(set(visit["tile"])) == 1
    visit.sort("scan")
    assert np.diff(visit["scan"]).tolist() == [1] * 5
    assert "".join(visit["sd"]) in ("nsnsns", "snsnsn")
    east = np.diff(np.unwrap(visit["ra"], period=360)) * 3600 * np.cos(np.deg2rad(visit["dec"][0]))
    assert np.abs(east - 5).max() < 0.02


@pytest.mark.parametrize("n", [0, -1, 10**7])
def test_impossible_numbers_are_refused(n):
    with pytest.raises(TableError):
        scan_table(n)
