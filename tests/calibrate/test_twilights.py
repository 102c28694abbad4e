from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.calibrate.darks import combine
from twomass_nb.calibrate.response import responsivity
from twomass_nb.calibrate.twilights import respond
from twomass_nb.errors import CalibrationError
from twomass_nb.simulate.camera import GAIN, READ1_TIME, READ2_TIME


@pytest.fixture
def measure(taken, shelf):
    """Measure with the darks of seed 1 and the twilight frames given."""

    def of(twilights, seed=1):
        dark = combine([shelf(taken(seed).dark, 995, "dar")])
        scans = [shelf(frames, 990 + k, "flt") for k, frames in enumerate(twilights)]
        return respond(scans, dark)

    return of


def add(frames: np.ndarray, i: int, light: np.ndarray) -> None:
    frames[i, 1] = np.clip(frames[i, 1] + light, 0, 35000)


def gaussian(y: float, x: float, peak: float, width: float) -> np.ndarray:
    rows, columns = np.mgrid[:256, :256]
    return peak * np.exp(-0.5 * ((rows - y) ** 2 + (columns - x) ** 2) / width**2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_responsivity_comes_back_within_its_errors(seed, taken, measure):
    twilight = measure(taken(seed).twilights, seed)
    found, truth = responsivity(twilight), taken(seed).camera.responsivity
    ordinary = truth > 0.5
    ordinary[:, ::128] = False
    pull = ((found.map - truth) / found.error)[ordinary]
    assert np.mean(np.abs(pull) < 2) == pytest.approx(0.955, abs=0.02)
    assert np.nanmedian(found.map) == pytest.approx(1, abs=1e-6)
    assert np.median(found.error) < 0.003
    assert twilight.left_out == ()


def test_gain_and_the_share_of_read_1_come_back(taken, measure):
    twilight = measure(taken(1).twilights)
    assert twilight.gain == pytest.approx(GAIN, rel=0.03)
    share = READ1_TIME / (READ2_TIME - READ1_TIME)
    np.testing.assert_allclose(twilight.share1, share, rtol=0.002)


def test_stars_do_not_count(taken, measure):
    frames = [one.copy() for one in taken(1).twilights]
    places = [(60.2, 70.7), (150.0, 33.3), (200.5, 180.1)]
    for k, (y, x) in enumerate(places):
        add(frames[k], 5 + k, gaussian(y, x, 12000, 1.5))
    clean, starry = measure(taken(1).twilights), measure(frames)
    assert starry.left_out == ()
    assert starry.star_pixels > clean.star_pixels + 100
    for y, x in places:
        near = (slice(int(y) - 3, int(y) + 5), slice(int(x) - 3, int(x) + 5))
        off = np.abs(starry.slope[near] - clean.slope[near])
        assert np.median(off / clean.slope_error[near]) < 0.5
        assert off.max() < 0.01


def test_a_frame_full_of_a_star_is_left_out(taken, measure):
    frames = [one.copy() for one in taken(1).twilights]
    add(frames[1], 4, gaussian(90, 140, 15000, 18))
    (left_out,) = measure(frames).left_out
    assert (left_out.scan, left_out.frame) == ("000529s991", 4)
    assert "stars" in left_out.reason or "parts of the frame" in left_out.reason


def test_a_cloud_in_part_of_a_frame_is_left_out(taken, measure):
    frames = [one.copy() for one in taken(1).twilights]
    shade = np.linspace(0.96, 1.04, 256)[:, None]  # brighter in the north, the level as it was
    for i in (2, 3, 9):
        r1, r2 = frames[0][i].astype(float)
        frames[0][i, 1] = np.rint(r1 + (r2 - r1) * shade)
    left_out = measure(frames).left_out
    assert [(one.scan, one.frame) for one in left_out] == [("000529s990", i) for i in (2, 3, 9)]
    assert all("cloud" in one.reason for one in left_out)


def test_an_even_cloud_is_seen_in_the_course_of_the_levels(taken, measure):
    frames = [one.copy() for one in taken(1).twilights]
    for i in (6, 7, 8):
        r1, r2 = frames[1][i].astype(float)
        frames[1][i, 1] = np.rint(r1 + (r2 - r1) * 0.93)
    left_out = measure(frames).left_out
    assert [(one.scan, one.frame) for one in left_out] == [("000529s991", i) for i in (6, 7, 8)]
    assert all("off the course" in one.reason for one in left_out)


def test_saturated_frames_are_left_out(taken, measure):
    frames = [one.copy() for one in taken(1).twilights]
    frames[0][:4, 1] = np.minimum(frames[0][:4, 1], 21000)
    left_out = measure(frames).left_out
    assert [one.frame for one in left_out] == [0, 1, 2, 3]
    assert {one.reason for one in left_out} == {"saturated"}


def test_twilight_must_change(taken, measure):
    with pytest.raises(CalibrationError, match="the twilight does not change"):
        measure([taken(1).twilights[0][:6]])


def test_too_few_frames_are_refused(taken, measure):
    with pytest.raises(CalibrationError, match="4 twilight frames are usable"):
        measure([taken(1).twilights[0][:2], taken(1).twilights[2][:2]])


def test_darks_are_no_twilights(taken, measure):
    with pytest.raises(CalibrationError):
        measure([taken(1).dark])


@pytest.mark.parametrize(
    ("night", "departs"),
    [("000529s", True), ("990118s", True), ("990117s", False), ("000529n", False)],
)
def test_the_first_column_departs_in_the_south_from_990118_on(night, departs, scans):
    darks, lights = scans(1, night)
    found = responsivity(respond(lights, combine(darks)))
    assert [one.departs for one in found.first_columns] == [departs] * 4
    for one in found.first_columns:
        # 6 % at most in J, and steeper than that for the slope; the faintest are past it all
        expected = 0.08 if departs else 0.0
        assert one.excess == pytest.approx(expected, abs=0.03 if departs else 0.003)


def test_what_departs_is_in_the_errors(scans, taken):
    darks, lights = scans(1)
    found = responsivity(respond(lights, combine(darks)))
    assert np.nanmedian(found.error[:, ::128]) > 0.05
    truth = taken(1).camera.responsivity[:, ::128]
    alive = truth > 0
    pull = ((found.map[:, ::128] - truth) / found.error[:, ::128])[alive]
    assert np.mean(np.abs(pull) < 2) > 0.95
