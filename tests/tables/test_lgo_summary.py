from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from twomass_nb.errors import TableError, TwomassWarning
from twomass_nb.locate import ScanLocator
from twomass_nb.simulate.scan_table import scan_table
from twomass_nb.tables import read_lgo

# The rows quoted from 000529s.lgo, in a dump whose columns are called as in the log's header.
HEADER = ("date", "hemis", "scn", "sr_ut", "strpid", "r", "sr_ra_2000", "sr_dec_2000", "air_m",
          "frms", "d", "typ", "comment", "tape")  # fmt: skip
OTHERS = ("ordate", "hemisphere", "scan", "ut_sos", "strip_id", "flag", "ra_sos", "dec_sos",
          "airmass", "frames", "s_dir", "s_type", "remarks", "tape")  # fmt: skip
ROWS = (
    "000529\ts\t1\t22:37:16.00\t92397\t-\t11:21:49.10\t-13:51:41.0\t1.070\t48\tn\tcal\t\\N\t0136",
    "000529\ts\t2\t22:38:46.00\t92397\t-\t11:21:49.43\t-00:34:52.9\tbad\t48\ts\tcal\tfog\t0136",
)


def dump(names, rows=ROWS, head=""):
    return "\n".join([f"{head}COPY lgo ({', '.join(names)}) FROM stdin;", *rows, "\\.", ""])


def put(tmp_path, text):
    path = tmp_path / "lgo"
    path.write_bytes(gzip.compress(text.encode()))
    return path


@pytest.mark.parametrize("names", [HEADER, OTHERS])
def test_a_summary_reads_like_the_logs_themselves(tmp_path, names):
    table = read_lgo(put(tmp_path, dump(names)))
    assert table["date"].tolist() == ["2000-05-29"] * 2
    assert table["scan"].tolist() == [1, 2]
    assert table["tile"].tolist() == [92397] * 2
    assert table["frames"].tolist() == [48] * 2
    assert table["sd"].tolist() == ["n", "s"]
    assert table["s_type"].tolist() == ["cal"] * 2
    assert table["comment"].tolist() == ["", "fog"]
    assert np.allclose(table["ra"][0], 15 * (11 + 21 / 60 + 49.10 / 3600))
    assert np.allclose(table["dec"], [-13.861388889, -0.581361111])
    assert np.allclose(table["ut"][0], 22 + 37 / 60 + 16 / 3600)
    assert (table["ra"].unit, table["dec"].unit, table["ut"].unit) == (u.deg, u.deg, u.hour)
    assert table["airm"].tolist() == [1.07, None]
    assert table["tape"].tolist() == ["0136"] * 2  # unknown here, and no number
    assert "SIMULATE" not in table.meta


def test_degrees_are_taken_as_degrees(tmp_path):
    rows = ["2000-05-29\ts\t1\t170.45\t-13.86\n2000-05-29\ts\t2\t360.5\t95"]
    table = read_lgo(put(tmp_path, dump(("date", "hemis", "scan", "ra", "dec"), rows)))
    assert table["ra"].tolist() == [170.45, None]
    assert table["dec"].tolist() == [-13.86, None]
    assert table["sd"].tolist() == ["", ""]
    assert table["frames"].mask.all()


def test_scans_listed_twice_are_kept_with_a_word(tmp_path):
    path = put(tmp_path, dump(HEADER, (ROWS[0], ROWS[0]), "-- SIMULATE = T\n"))
    with pytest.warns(TwomassWarning, match="more than once .*: 2000-05-29 s 1$"):
        table = read_lgo(path)
    assert len(table) == 2
    assert table.meta["SIMULATE"] is True


def test_other_dumps_are_refused(tmp_path):
    with pytest.raises(TableError, match="not a table of night logs"):
        read_lgo(put(tmp_path, dump(("date", "hemis", "scan"), ["2000-05-29\ts\t1"])))


def test_the_locator_takes_its_scans(tmp_path):
    loc = ScanLocator(scan_table(20), lgo=read_lgo(put(tmp_path, dump(HEADER))))
    found = loc.covering(SkyCoord(170.4546 * u.deg, -13.3 * u.deg), margin=125 * u.arcsec)
    assert "000529s001" in found["scan_id"].tolist()
