from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy import units as u

from twomass_nb import simulate
from twomass_nb.errors import NotFoundError, TableError
from twomass_nb.tables import read_lgo

# The first lines of a real one, from the archive's own description (its blanks restored).
REAL = r"""\CHAR Logfile  = 000529s.lgo
\CHAR ORDate   = 000529 \CHAR Hemisp   = s
\CHAR DayNum   = 1186
\--------------------------------------------------------------------------------------------
|Scn| sr_UT     |StrpID|R|sr_RA_2000 |sr_Dec_2000| Air_M|Frms|D|Typ| Comment                 |
| c | char      | int  |c| char      | char      | real | int|c| c | char                    |
\--------------------------------------------------------------------------------------------
 001 22:37:16.00  92397 - 11:21:49.10 -13:51:41.0 1.070   048 n cal
 002 22:38:46.00  92397 - 11:21:49.43 -12:34:52.9 1.080   048 s cal
 003 22:40:15.00  92397 - 11:21:49.76 -00:51:41.0 1.070   048 n cal
"""


def night(tmp_path, text, name="000529s.lgo"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_known_lines(tmp_path):
    table = read_lgo(night(tmp_path, REAL))
    assert table["date"].tolist() == ["2000-05-29"] * 3
    assert table["hemis"].tolist() == ["s"] * 3
    assert table["scan"].tolist() == [1, 2, 3]
    assert table["tile"].tolist() == [92397] * 3
    assert table["frames"].tolist() == [48] * 3
    assert table["sd"].tolist() == ["n", "s", "n"]
    assert table["s_type"].tolist() == ["cal"] * 3
    assert np.allclose(table["ra"][0], 15 * (11 + 21 / 60 + 49.10 / 3600))
    assert np.allclose(table["dec"], [-13.861388889, -12.581361111, -0.861388889])
    assert np.allclose(table["ut"][0], 22 + 37 / 60 + 16 / 3600)
    assert table["airm"].tolist() == [1.07, 1.08, 1.07]
    assert (table["ra"].unit, table["ut"].unit) == (u.deg, u.hour)
    assert table.meta["raw"] == REAL
    assert table.meta["unknown"] == []
    assert table.meta["header"]["daynum"] == "1186"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_gzipped_under_any_name(tmp_path, pack):
    assert len(read_lgo(night(tmp_path, pack(REAL.encode()), "log"))) == 3


def test_aligned_and_shifted_rows_read_the_same(tmp_path):
    shifted = REAL.replace(" 002 22", "002  22").replace("\n 003", "\n003")
    a, b = read_lgo(night(tmp_path, REAL)), read_lgo(night(tmp_path, shifted))
    assert all(np.array_equal(a[name], b[name]) for name in a.colnames)


def test_missing_values_are_masked_and_comments_kept(tmp_path):
    rows = (
        " 004 22:50:00.00 199999 -                                 048 n dar clouds, then fog\n"
        " 005 22:51:00.00 199999 - 99:99:99.99 -12:34:52.9 bad     ??? - flt\n"
    )
    table = read_lgo(night(tmp_path, REAL + rows))
    assert len(table) == 5
    assert table["comment"][3] == "clouds, then fog"
    assert table["ra"].mask.tolist() == [False, False, False, True, True]
    assert table["dec"].mask.tolist() == [False, False, False, True, False]
    assert table["frames"].mask.tolist() == [False, False, False, False, True]
    assert table["airm"].mask.tolist() == [False, False, False, True, True]


def test_lines_not_understood_are_kept(tmp_path):
    odd = "this night was closed early\n xyz 22:51:00.00\n"
    table = read_lgo(night(tmp_path, REAL + odd))
    assert table.meta["unknown"] == odd.splitlines()
    assert len(table) == 3


def test_the_night_comes_from_the_name_if_the_header_is_silent(tmp_path):
    silent = "".join(line for line in REAL.splitlines(True) if not line.startswith("\\CHAR"))
    assert read_lgo(night(tmp_path, silent))["date"][0] == "2000-05-29"
    with pytest.raises(TableError, match="does not say its night"):
        read_lgo(night(tmp_path, silent, "log"))


def test_a_simulated_log_says_so(tmp_path):
    assert "SIMULATE" not in read_lgo(night(tmp_path, REAL)).meta
    table = read_lgo(night(tmp_path, "\\CHAR SIMULATE = T\n" + REAL))
    assert table.meta["SIMULATE"] is True


def test_the_log_that_the_simulator_writes_says_so(tmp_path):
    folder = simulate.scan(tmp_path, "000529s063", "k", n_frames=2, darks=0, twilights=0)
    assert read_lgo(folder / "000529s.lgo").meta["SIMULATE"] is True


def test_what_is_not_a_log_is_refused(tmp_path):
    with pytest.raises(TableError, match="not a night's log"):
        read_lgo(night(tmp_path, "hello\n"))
    with pytest.raises(TableError, match="empty"):
        read_lgo(night(tmp_path, ""))
    with pytest.raises(NotFoundError):
        read_lgo(tmp_path / "none.lgo")
