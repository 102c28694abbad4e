"""Down to the pixel: frames that see a position, in every band, against the track of each scan."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from twomass_nb.array.geometry import ArrayGeometry, period_of
from twomass_nb.array.track import ScanTrack
from twomass_nb.atlas import AtlasImage, scan_table_from_atlas
from twomass_nb.errors import ScanNameError
from twomass_nb.locate import ScanLocator
from twomass_nb.scan import ScanId
from twomass_nb.simulate.scan_table import scan_table


@pytest.fixture(scope="module")
def targets():
    rng = np.random.default_rng(5)
    return SkyCoord(
        rng.uniform(0, 360, 60), np.rad2deg(np.arcsin(rng.uniform(-1, 1, 60))), unit="deg"
    )


def track(loc, i):
    row = loc.table[int(i)]
    frames = int(row["frames"]) if "frames" in loc.table.colnames else {"n": 273, "s": 274}
    frames = frames[row["hemis"]] if isinstance(frames, dict) else frames
    corners = ([row[f"{axis}_{k}"] for k in "1234"] for axis in ("ra", "dec"))
    return ScanTrack.from_corners(*corners, row["sd"], frames)


def geometry(loc, i, band):
    row = loc.table[int(i)]
    period = period_of(ScanId(row["date"], row["hemis"], row["scan"]))
    return ArrayGeometry.preset(period, band, sign="header")


def test_every_frame_has_its_own_pixel(survey, targets):
    found = survey.frames(targets, every=True)
    assert found.colnames == ["i_coord", "i_scan", "scan_id", "band", "frame", "x", "y", "best"]
    assert len(found) > 60 * 3 * 6
    assert found.meta["SIMULATE"] is True
    for row in found[::37]:
        coord = targets[int(row["i_coord"])]
        path = track(survey, row["i_scan"])
        x, y = path.pixel(int(row["frame"]), coord, geometry(survey, row["i_scan"], row["band"]))
        assert row["x"] == pytest.approx(float(x), abs=1e-6)
        assert row["y"] == pytest.approx(float(y), abs=1e-6)
    assert ((found["x"] >= -0.5) & (found["x"] <= 255.5)).all()
    assert ((found["y"] >= -0.5) & (found["y"] <= 255.5)).all()


def test_six_or_seven_frames_in_the_middle_of_a_survey_scan(survey, targets):
    found = survey.frames(targets, every=True)
    whole = survey.frames(targets)
    inside = (whole["first_frame"] > 0) & (whole["last_frame"] < 272)
    number = whole["last_frame"] - whole["first_frame"] + 1
    assert set(number[inside]) <= {6, 7}
    assert len(found) == number[whole["first_frame"] >= 0].sum()
    assert np.count_nonzero(found["best"]) == np.count_nonzero(whole["best_frame"] >= 0)


def test_bands_differ_as_their_arrays_do(survey, targets):
    found = survey.frames(targets, bands="jhk")
    assert found["band"][:3].tolist() == ["j", "h", "k"]
    for band in "jhk":
        own = survey.frames(targets, bands=band)
        both = found[found["band"] == band]
        assert all(np.array_equal(own[n], both[n], equal_nan=n in "xy") for n in own.colnames)
    seen = found["best_frame"].reshape(-1, 3).min(axis=1) >= 0
    x = np.asarray(found["x"]).reshape(-1, 3)[seen]
    # plate scales and rotations differ by a percent and half a degree
    assert 0.1 < np.abs(x[:, 0] - x[:, 2]).max() < 5
    with pytest.raises(ScanNameError):
        survey.frames(targets, bands="jz")


def test_covering_says_what_frames_says_of_j(survey, targets):
    found = survey.frames(targets, bands="j")
    many = survey.answers(targets, survey.covering_many(targets))
    assert many["i_coord"].tolist() == found["i_coord"].tolist()
    for name in ("scan_id", "first_frame", "last_frame", "best_frame", "x", "y"):
        assert np.array_equal(many[name], found[name], equal_nan=name in "xy")
    for j in (3, 44):
        one = survey.covering(targets[j])
        some = many[many["i_coord"] == j]
        for name in one.colnames:
            assert np.array_equal(one[name], some[name], equal_nan=name in "xy"), name


def test_no_position_is_covered_and_so_no_frame_sees_it(few):
    nowhere = SkyCoord([0.0], [-5.0], unit="deg")
    assert len(few.query(0.0, -5.0)[0]) == 0
    assert len(few.frames(nowhere)) == len(few.frames(nowhere, every=True)) == 0
    assert "best_frame" in few.frames(nowhere).colnames


def test_a_calibration_scan_has_48_frames():
    loc = ScanLocator(scan_table(60_100))
    rows = loc.select(s_type="cal")
    row = loc.table[int(rows[0])]
    coord = SkyCoord(row["ra"], row["dec"], unit="deg")
    found = loc.frames(coord, s_type="cal")
    assert set(found["i_scan"]) <= set(rows.tolist())
    assert 20 <= found["best_frame"].min() <= found["last_frame"].max() <= 27
    assert loc.covering(coord, s_type="cal")["frames"].tolist()[0] == 48


def test_real_images_are_at_their_own_frames_in_their_own_band(real_data):
    images = [AtlasImage.open(p) for p in sorted((real_data / "atlas").glob("*.fits.gz"))]
    loc = ScanLocator(scan_table_from_atlas(images))
    coords = SkyCoord([im.wcs.wcs.crval[0] for im in images],
                      [im.wcs.wcs.crval[1] for im in images], unit="deg")  # fmt: skip
    found = loc.frames(coords)
    for i, image in enumerate(images):
        own = found[(found["i_coord"] == i) & (found["scan_id"] == str(image.scan_id))]
        own = own[own["band"] == image.band]
        assert len(own) == 1
        assert abs(int(own["best_frame"][0]) - (image.coadd - 1)) <= 1
        assert own["first_frame"][0] >= image.first_frame
        assert own["last_frame"][0] <= image.last_frame


# --- predicted footprints, searched with the exact ones ----------------------------------------


def test_scans_of_images_are_searched_with_the_table_and_say_how_rough_they_are(real_data):
    images = [AtlasImage.open(p) for p in sorted((real_data / "atlas").glob("aK_asky_9905*"))]
    scans = scan_table(40)
    del scans.meta["SIMULATE"]
    del scans["source"]
    atlas = scan_table_from_atlas(images)
    loc = ScanLocator(scans, atlas=atlas)
    assert len(loc) == 40 + len(atlas)
    coord = SkyCoord(*images[0].wcs.wcs.crval, unit="deg")
    found = loc.covering(coord)
    assert set(found["source"]) == {"atlas"}
    assert found["in_scan_error"].unit == u.arcsec
    assert set(found["in_scan_error"]) == {45.0}
    assert set(found["cross_scan_error"]) == {5.0}
    own = loc.covering(SkyCoord(scans["ra"][3], scans["dec"][3], unit="deg"))
    assert own["source"][0] == "scn"
    assert own["in_scan_error"][0] == 2.0  # the true edge wanders so much
    # a scan that the table lists is taken from there
    again = ScanLocator(loc.table[:41], atlas=atlas)
    assert len(again) == 40 + len(atlas)


def test_the_uncertainty_of_a_log_is_that_of_its_telescope(tmp_path):
    from twomass_nb.tables import read_lgo

    path = tmp_path / "000529n.lgo"
    path.write_text("063 04:00:00.00 318737 n 11:21:49.76 +13:51:41.0 1.070   273 n sci\n")
    loc = ScanLocator(scan_table(40), lgo=read_lgo(path))
    row = loc.table[40]
    assert (row["in_scan_error"], row["cross_scan_error"]) == (125.0, 18.0)
    assert set(loc.table["in_scan_error"][:40]) == {0.0}  # simulated scans are where they say
    # what lies 100 arcsec beyond the predicted end may have been seen
    end = SkyCoord(row["ra_3"], row["dec_3"] + 100 / 3600, unit="deg").directional_offset_by(
        270 * u.deg, 200 * u.arcsec
    )
    assert not len(loc.covering(end))
    assert loc.covering(end, margin=125 * u.arcsec)["source"].tolist() == ["lgo"]
