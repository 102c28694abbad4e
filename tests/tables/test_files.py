from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.errors import ScanNameError
from twomass_nb.scan import FileName
from twomass_nb.tables.files import FILE_COLUMNS, name_columns

STEM = st.from_regex(r"[jhkJHK][0-9]{4}[0-9]{3}", fullmatch=True)
SUFFIX = st.sampled_from([".rds.gz", ".par.gz", ".rdo", ".par", "_r1_220.fits", ".rds.Z", "", "x"])
FOLDER = st.sampled_from(["", "000529s/", "./970607n/", "/disk/s04/000529s/", "raws0136/", "x/"])
OTHER = st.sampled_from(["000529s.lgo", "000529s.dir", "ji0630186.fits.gz", "README", "", "a/b"])
NAME = st.one_of(st.tuples(FOLDER, STEM, SUFFIX).map("".join), OTHER, st.text(max_size=20))


def said_by(name):
    """The same, of one name, by the one place that knows names."""
    try:
        return FileName.parse(name)
    except ScanNameError:
        return None


@given(st.lists(NAME, min_size=1))
def test_columns_agree_with_the_names_themselves(names):
    table = name_columns(np.array(names))
    assert tuple(table.colnames) == FILE_COLUMNS
    for name, row in zip(np.array(names).tolist(), table, strict=True):
        said = said_by(name)
        if said is None:
            continue  # a name that contradicts its folder may still tell its scan
        assert row["kind"] == said.kind
        assert (row["band"] or None) == said.band if said.band else row["band"] is np.ma.masked
        if said.scan_id is not None:
            found = (str(row["date"]), str(row["hemis"]), int(row["scan"]))
            one = said.scan_id
            assert found == (one.date.isoformat(), one.hemis, one.scan)


def test_days_and_scans_without_a_hemisphere():
    table = name_columns(np.array(["j1186063.rds.gz", "k0000063.par", "j1186000.par", "readme"]))
    assert table["date"].tolist() == ["2000-05-29", None, None, None]
    assert table["scan"].tolist() == [63, None, None, None]
    assert table["hemis"].mask.all()
