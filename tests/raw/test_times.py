"""Times of frames: against every real header, and over midnight."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.time import Time

import twomass_nb as tm
from twomass_nb.atlas import AtlasImage
from twomass_nb.errors import NotFoundError
from twomass_nb.raw.times import frame_times
from twomass_nb.tables.par import Par

SCAN = "UT_SOS = '{}'\nUT_EOS = '{}'\nNUMFRMS = 274\n"
NIGHT = tm.ScanId("2000-05-29", "s", 63)


def test_the_time_in_every_real_header_is_that_of_its_coadds_frame(real_data):
    paths = sorted((real_data / "atlas").glob("*.fits*"))
    assert len(paths) > 10
    for path in paths:
        header = fits.getheader(path)
        par = Par(header.tostring(sep="\n"))
        times = frame_times(par, 274)
        said = Time(f"{night(header['UT_DATE'])}T{header['UT']}", scale="utc")
        frame = AtlasImage.open(path).coadd - 1
        assert abs((times.middle[frame] - said).to_value(u.s)) < 0.006 * times.cycle.value
        assert times.cycle.value == pytest.approx(407 / 274)
        assert par["UT_OFF1"] == pytest.approx(times.cycle.value / 2)


def night(yymmdd):
    return tm.ScanId.parse(f"{yymmdd}n001").date


def test_frames_follow_each_other_evenly_and_say_how_well_they_are_known():
    times = frame_times(Par(SCAN.format("05:45:00.00", "05:51:47.00")), 274, NIGHT)
    steps = np.diff(times.middle.mjd) * 86400
    np.testing.assert_allclose(steps, 407 / 274, atol=1e-5)
    assert times.middle[0].isot == "2000-05-29T05:45:00.74"
    assert times.uncertainty.to_value(u.s) == pytest.approx(1 + 407 / 274 / 2)


@pytest.mark.parametrize(
    ("hemis", "clock", "day"),
    [
        ("s", "22:37:16.00", "2000-05-28"),  # the first scan of this very night in its real .lgo
        ("s", "00:10:00.00", "2000-05-29"),
        ("s", "11:00:00.00", "2000-05-29"),
        ("n", "13:30:00.00", "2000-05-29"),
        ("n", "23:50:00.00", "2000-05-28"),
    ],
)
def test_the_day_is_that_of_the_night_or_the_one_before(hemis, clock, day):
    end = f"{int(clock[:2]):02d}:{int(clock[3:5]) + 6:02d}:30.00"
    scan_id = tm.ScanId("2000-05-29", hemis, 1)
    times = frame_times(Par(SCAN.format(clock, end)), 274, scan_id)
    assert times.middle[0].isot[:10] == day


def test_a_scan_over_midnight_goes_on_in_the_next_day():
    times = frame_times(Par(SCAN.format("23:59:02.00", "00:05:49.00")), 274, NIGHT)
    assert times.middle[0].isot[:10] == "2000-05-28"
    assert times.middle[-1].isot[:16] == "2000-05-29T00:05"
    assert np.all(np.diff(times.middle.mjd) > 0)


def test_a_cut_file_has_the_times_of_the_whole_scan():
    par = Par(SCAN.format("05:45:00.00", "05:51:47.00"))
    cut, whole = frame_times(par, 30, NIGHT), frame_times(par, 274, NIGHT)
    assert len(cut.middle) == 30
    assert np.all(cut.middle == whole.middle[:30])


def test_without_a_night_the_date_at_the_start_counts():
    par = Par(SCAN.format("05:45:00.00", "05:51:47.00") + "DATE_SOS = '000528'\n")
    assert frame_times(par, 274).day == "DATE_SOS of the .par file"
    assert frame_times(par, 274, NIGHT).day == "that of the night"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NUMFRMS = 274\n", "no UT_SOS"),
        (SCAN.format("05:45:00.00", "05:45:00.00"), "is not the time of 274 frames"),
        (SCAN.format("05:45:00.00", "05:44:00.00"), "is not the time"),
        (SCAN.format("25:00:00.00", "25:06:00.00"), "not an angle"),
        (SCAN.format("-01:00:00.00", "05:51:47.00"), "is not the time"),
        (SCAN.format("05:45:00.00", "05:51:47.00").replace("274", "0"), "is not the time"),
        (SCAN.format("soon", "05:51:47.00"), "not an angle"),
    ],
)
def test_what_is_no_time(text, words):
    with pytest.raises(NotFoundError, match=words):
        frame_times(Par(text), 274, NIGHT)


def test_no_night_and_no_date():
    with pytest.raises(NotFoundError, match="which day"):
        frame_times(Par(SCAN.format("05:45:00.00", "05:51:47.00")), 274)
