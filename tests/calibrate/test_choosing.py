from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb import open_night
from twomass_nb.array.hardware import HARDWARE_EVENTS
from twomass_nb.calibrate import nearest
from twomass_nb.calibrate.matching import events_between
from twomass_nb.errors import CalibrationError, NotFoundError
from twomass_nb.raw.layout import FRAME_BYTES
from twomass_nb.scan import ScanId


@pytest.fixture
def night(tmp_path: Path):
    """Make a night of empty frames that says of what types its scans are."""

    def make(name: str, *kinds: str, below: str = "", simulated: bool = True, band: str = "k"):
        folder = tmp_path / below / name
        folder.mkdir(parents=True)
        for number, kind in enumerate(kinds, 1):
            stem = ScanId.parse(f"{name}{number:03d}").stem(band)
            (folder / f"{stem}.rdo").write_bytes(bytes(FRAME_BYTES))
            site = "CTIO" if name[-1] == "s" else "MT. HOPKINS"
            lines = [f"TYPE    = '{kind}'", f"TELNAME = '{site}'", "NUMFRMS = 1"]
            lines += ["SIMULATE= T"] if simulated else []
            (folder / f"{stem}.par").write_text("\n".join(lines) + "\n")
        return folder

    return make


SCAN = ScanId("2000-05-29", "s", 63)


def test_the_samples_own_are_of_other_nights(short_sample):
    choice = nearest(SCAN, short_sample, "k")
    assert [str(one) for one in choice.darks] == ["000602s090"]
    assert [str(one) for one in choice.twilights] == [f"000531s{n}" for n in range(155, 160)]
    assert choice.reasons[-1] == "darks 000602s090: the nearest, 4 days away"
    assert "2 days away" in " ".join(choice.reasons)
    assert choice.simulated
    assert "SIMULATED" in repr(choice)
    assert "000602s090" in choice._repr_html_()
    names = sorted({path.name.partition(".")[0] for path in choice.files})
    assert names == [f"k1188{n}" for n in range(155, 160)] + ["k1190090"]
    assert choice.calibrator().darks == ("000602s090",)


def test_the_nearest_is_taken_wherever_it_is(night, tmp_path):
    night("000520s", "dar", "flt", below="s03")
    night("000530s", "flt", below="s04")
    night("000601s", "dar", "dar", "sci", below="s04")
    night("000529n", "dar", "flt", below="n01")
    choice = nearest("000529s063", tmp_path, "k")
    assert [str(one) for one in choice.darks] == ["000601s001", "000601s002"]
    assert [str(one) for one in choice.twilights] == ["000530s001"]
    assert nearest(SCAN, tmp_path / "s03", "k").darks[0].night == "000520s"
    assert nearest(SCAN, [open_night(tmp_path / "s03" / "000520s")], "k").darks == (
        ScanId("2000-05-20", "s", 1),
    )


def test_the_same_night_comes_first(night, tmp_path):
    night("000529s", "dar", "flt")
    night("000530s", "dar", "flt")
    choice = nearest(SCAN, tmp_path, "k")
    assert {one.night for one in (*choice.darks, *choice.twilights)} == {"000529s"}
    assert "the same night" in choice.reasons[0]


def test_never_across_a_change_of_hardware(night, tmp_path):
    night("990117s", "dar", "flt")
    night("990301s", "dar", "flt")
    choice = nearest("990118s001", tmp_path, "k")
    assert choice.darks[0].night == "990301s"
    assert "990117s not used: gain of the preamplifiers doubled in between" in choice.reasons
    with pytest.raises(CalibrationError, match=r"no dark and no twilight scan .*preamplifiers"):
        nearest("990118s001", tmp_path / "990117s", "k")


def test_real_and_simulated_are_never_mixed(night, tmp_path):
    night("000529s", "dar", simulated=False)
    night("000530s", "dar", "flt")
    night("000601s", "flt", simulated=False)
    choice = nearest(SCAN, tmp_path, "k")
    assert choice.twilights[0].night == "000601s"
    assert not choice.simulated
    assert any("SIMULATED" in reason for reason in choice.reasons)


def test_what_is_asked_for_must_be_clear(night, tmp_path):
    night("000529s", "dar", "flt", band="j")
    with pytest.raises(CalibrationError, match="for which band"):
        nearest(SCAN, tmp_path)
    with pytest.raises(CalibrationError, match="no dark and no twilight scan for 000529s063 Ks"):
        nearest(SCAN, tmp_path, "k")
    with pytest.raises(NotFoundError, match="no folder"):
        nearest(SCAN, tmp_path / "none", "k")


def test_an_open_scan_says_its_band_and_whether_it_is_simulated(made, flat_sky):
    scan = flat_sky(400.0, n=1)
    choice = nearest(scan, made.folder)
    assert (choice.scan_id, choice.band) == (SCAN, "j")
    assert choice.calibrator().band == "j"


@given(
    st.sampled_from("ns"),
    st.dates(dt.date(1997, 4, 1), dt.date(2001, 2, 15)),
    st.dates(dt.date(1997, 4, 1), dt.date(2001, 2, 15)),
)
def test_nights_with_nothing_between_are_surely_on_the_same_side(hemis, one, other):
    found = events_between(hemis, one, other)
    assert found == events_between(hemis, other, one)
    for event in HARDWARE_EVENTS:
        sides = {(day >= event.new_from) - (day <= event.old_until) for day in (one, other)}
        same = one == other or event.hemis != hemis or (len(sides) == 1 and 0 not in sides)
        assert (event in found) == (not same)


@pytest.mark.parametrize(
    ("hemis", "one", "other", "names"),
    [
        ("s", "1999-01-17", "1999-01-18", ["preamplifiers"]),
        ("s", "1999-01-18", "2001-02-15", []),
        ("n", "1999-07-01", "1999-07-02", ["warm-1999"]),  # nobody knows on which day
        ("n", "1999-05-20", "1999-10-20", ["warm-1999", "h-array"]),
        ("n", "1998-11-01", "1999-05-31", []),
    ],
)
def test_events_between(hemis, one, other, names):
    days = dt.date.fromisoformat(one), dt.date.fromisoformat(other)
    assert [event.name for event in events_between(hemis, *days)] == names
