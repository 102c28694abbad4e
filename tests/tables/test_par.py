from __future__ import annotations

import gzip
import re

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.errors import NotFoundError, TableError
from twomass_nb.tables import Par, read_par
from twomass_nb.tables.par_keywords import KEYWORDS

TEXT = """\
# simulated by twomass_nb; the syntax of this file is its guess
SIMULATE = T / never observed
FN_PRFX = 'j1186063' / .rdo and .par filename prefix
ORDATE  = 000529 / Observation Ref Date (yymmdd)
DAYNUM = 0423
NUMFRMS = 274
UT_OFF1 = 7.427007299270E-01 / UT Offset
IS_OFF1 = -3.6537D+02
RA_SOS  = '00:56:45.30' / Scan Reference RA
DEC_SOS = -05:42:16.0
SCANDIR: s
SEE_SOS 0.0
WAVEF_P = '2mass/s.scn' / Secondary
The telescope was opened late because of clouds
@@ strange @@
COMMENT *** WARNING *** dummy only
NUMFRMS = 273
"""


def test_values_are_typed():
    par = Par(TEXT)
    assert par.simulated
    assert par["FN_PRFX"] == "j1186063"
    assert par["numfrms"] == 274
    assert isinstance(par["NUMFRMS"], int)
    assert par["UT_OFF1"] == pytest.approx(0.742700729927)
    assert par["IS_OFF1"] == -365.37
    assert par["SCANDIR"] == "s"
    assert par["SEE_SOS"] == 0.0
    assert par["WAVEF_P"] == "2mass/s.scn"
    assert par.comments["RA_SOS"] == "Scan Reference RA"


def test_dates_and_day_numbers_keep_their_zeros():
    par = Par(TEXT)
    assert (par["ORDATE"], par["DAYNUM"]) == ("000529", "0423")


def test_sexagesimal_stays_text_and_turns_into_angles():
    par = Par(TEXT)
    assert par["RA_SOS"] == "00:56:45.30"
    assert par.angle("RA_SOS").to_value(u.deg) == pytest.approx(14.18875)
    assert par.angle("DEC_SOS").to_value(u.deg) == pytest.approx(-(5 + 42 / 60 + 16 / 3600))
    for key in ("SCANDIR", "NO_SUCH"):
        with pytest.raises(TableError, match=key):
            par.angle(key)


def test_nothing_is_lost():
    par = Par(TEXT)
    assert par.raw == TEXT
    assert par.unknown == [
        "The telescope was opened late because of clouds",
        "@@ strange @@",
        "NUMFRMS = 273",  # contradicts the first
    ]
    assert "simulated" in repr(par)


@given(st.text())
def test_any_text_is_survived(text):
    par = Par(text)
    assert par.raw == text
    assert len(par) + len(par.unknown) <= len(text.splitlines())


@given(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,7}", fullmatch=True).filter(
        lambda k: (
            k not in ("COMMENT", "HISTORY") and "DATE" not in k and "VER" not in k and k != "DAYNUM"
        )
    ),
    st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    st.sampled_from(["{} = {} / said so", "{}: {}", "{}  {}", "{}={}"]),
)
def test_numbers_survive_every_form(key, value, form):
    assert Par(form.format(key, value))[key] == value


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_files_plain_and_gzipped(tmp_path, pack):
    path = tmp_path / "j1186063.par"
    path.write_bytes(pack(TEXT.encode()))
    assert dict(read_par(path)) == dict(Par(TEXT))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\0\1\2\3 = 4", "binary"),
        (gzip.compress(TEXT.encode())[:-20], "broken gzip"),
        (b"no values at all\n", "not a parameter file"),
    ],
)
def test_what_is_not_a_parameter_file_is_refused(tmp_path, content, error):
    path = tmp_path / "x.par"
    path.write_bytes(content)
    with pytest.raises(TableError, match=error):
        read_par(path)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(NotFoundError, match="no such file"):
        read_par(tmp_path / "none.par")
    with pytest.raises(TableError, match="folder"):
        read_par(tmp_path)


def header_text(path):
    """A real Atlas header's cards, without those of FITS itself, as a .par file might say them."""
    header = fits.getheader(path)
    structural = (
        r"SIMPLE|BITPIX|NAXIS\d?|EXTEND|BLOCKED|C(TYPE|RPIX|RVAL|ROTA|DELT)\d|COMMENT|HISTORY"
    )
    cards = [card for card in header.cards if not re.fullmatch(structural, card.keyword)]
    return header, Par("\n".join(str(card) for card in cards))


def test_every_keyword_of_real_headers_is_known_with_its_unit(real_data):
    for path in sorted((real_data / "atlas").glob("*.fits.gz")):
        header, par = header_text(path)
        assert par.unknown == []
        assert set(par) <= set(KEYWORDS), set(par) - set(KEYWORDS)
        table = par.table()
        assert table["keyword"].tolist() == list(par)
        for key in par:
            known = KEYWORDS[key]
            if known.kind == "text":
                continue
            value = par.quantity(key)
            if known.kind == "number":
                assert value.value == header[key]
                assert known.unit is None or value.unit == known.unit
            # the comments' own words for their units
            words = {"degs)": "deg", "arcsec": "arcsec", "millisecs": "ms", "microsec": "us"}
            for word, unit in words.items():
                if word in header.comments[key]:
                    assert known.unit == u.Unit(unit), key
            assert known.measured == ("see WARNING" not in header.comments[key])


def test_real_values_agree_with_each_other(real_data):
    _, par = header_text(real_data / "atlas" / "aJ_asky_001022s0620186.fits.gz")
    start, end, frame = (par.quantity(key) for key in ("UT_SOS", "UT_EOS", "UT"))
    assert start.iso == "2000-10-22 04:04:13.000"
    assert start < frame < end
    assert (end - start).to_value(u.s) == pytest.approx(407)
    assert par.quantity("ORDATE").iso[:10] == "2000-10-22"
    assert par.quantity("BAR_SOS").to_value(u.hPa) == pytest.approx(1012.5, abs=0.2)
    # secant of the zenith distance
    secant = 1 / np.cos(par.quantity("ZD_SOS"))
    assert abs(secant - par.quantity("AM_SOS")) < 0.01
    # hour angle is sidereal time less right ascension
    angles = [par.quantity(key).hour for key in ("ST_SOS", "RA_SOS", "HA_SOS")]
    assert angles[0] - angles[1] == pytest.approx(angles[2], abs=0.01)


def test_values_that_have_no_unit_or_no_date_say_so():
    par = Par(TEXT + "UT_SOS = '04:04:13.00'\nNEW_KEY = 7 / something new\nORDATE2 = 1\n")
    with pytest.raises(TableError, match="UT_SOS is a time of the day DATE_SOS, which"):
        par.quantity("UT_SOS")
    for key in ("FN_PRFX", "SIMULATE"):
        with pytest.raises(TableError, match="not a number"):
            par.quantity(key)
    with pytest.raises(TableError, match="has no NO_SUCH"):
        par.quantity("NO_SUCH")
    with pytest.raises(TableError, match="not a date written yymmdd"):
        Par("ORDATE = soon").quantity("ORDATE")
    assert par.quantity("new_key") == 7 * u.dimensionless_unscaled
    table = par.table()
    row = table[table["keyword"] == "NEW_KEY"][0]
    assert (row["value"], row["unit"], row["meaning"]) == ("7", "", "something new")
    assert table.meta["SIMULATE"] is True
    assert table.meta["unknown"] == par.unknown


def test_a_number_too_long_to_be_one_stays_text():
    """Python refuses whole numbers of more than 4,300 digits."""
    assert Par("NUMFRMS = " + "7" * 5000)["NUMFRMS"] == "7" * 5000
