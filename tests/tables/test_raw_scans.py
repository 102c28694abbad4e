from __future__ import annotations

import gzip

import pytest

from twomass_nb.errors import NotFoundError, TableError, TwomassWarning
from twomass_nb.scan import ScanId
from twomass_nb.tables.raw_scans import RAW_SCAN_COLUMNS, read_raw_scans

# From the archive's own description.
PSQL = """\
    date    | day_no | hemis | scan |  tile  | s_dir | s_type | frames | as_cat | tape_label | disk_label
------------+--------+-------+------+--------+-------+--------+--------+--------+------------+------------
 2000-05-29 |   1186 | s     |   63 | 318737 | n     | sci    |    274 | y      | raws0136   | s04
 2000-05-31 |   1188 | s     |  155 | 199998 | s     | flt    |     53 | n      | raws0136   | s04
 2000-06-02 |   1190 | s     |   90 | 199999 | n     | dar    |     48 | n      | raws0136   | s04
(3 rows)
"""  # noqa: E501


def copy_of(psql, columns=True):
    rows = [[c.strip() for c in line.split("|")] for line in psql.splitlines() if "|" in line]
    names = f" ({', '.join(rows[0])})" if columns else ""
    head = f"--\n-- PostgreSQL database dump\n--\nSET x = y;\nCOPY raw_scans{names} FROM stdin;\n"
    return head + "".join("\t".join(row) + "\n" for row in rows[1:]) + "\\.\n\n-- done\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("text", [PSQL, copy_of(PSQL), copy_of(PSQL, columns=False)])
def test_both_forms_of_the_archive(tmp_path, text, pack):
    path = tmp_path / "raw_scans"
    path.write_bytes(pack(text.encode()))
    table = read_raw_scans(path)
    assert tuple(table.colnames) == RAW_SCAN_COLUMNS
    assert table["scan"].tolist() == [63, 155, 90]
    assert table["frames"].tolist() == [274, 53, 48]
    assert table["s_type"].tolist() == ["sci", "flt", "dar"]
    assert table["disk_label"].tolist() == ["s04"] * 3
    for row in table:
        assert ScanId(row["date"], row["hemis"], row["scan"]).day_no == row["day_no"]


def test_nulls_and_odd_values_of_1997_are_masked(tmp_path):
    path = tmp_path / "raw"
    text = copy_of(PSQL).replace("1186\ts\t63\t318737", "1186\ts\t63\t\\N").replace("53", "many")
    path.write_text(text)
    table = read_raw_scans(path)
    assert table["tile"].mask.tolist() == [True, False, False]
    assert table["frames"].mask.tolist() == [False, True, False]


def test_duplicates_are_kept_with_a_word(tmp_path):
    path = tmp_path / "raw"
    path.write_text(
        PSQL.replace("2000-05-31 |   1188 | s     |  155", "2000-05-29 |   1186 | s     |   63")
    )
    with pytest.warns(TwomassWarning, match="more than once .*: 2000-05-29 s 63$"):
        assert len(read_raw_scans(path)) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "neither a COPY block nor"),
        ("", "empty"),
        (copy_of(PSQL).replace("hemis", "site"), "lacks hemis"),
        (copy_of(PSQL).replace("\ts04\n", "\n", 1), "row 0 has 10 values for 11 columns"),
        ("COPY raw_scans FROM stdin;\n\\.\n", "neither"),
    ],
)
def test_what_is_not_a_raw_scan_table_is_refused(tmp_path, text, why):
    path = tmp_path / "raw"
    path.write_text(text)
    with pytest.raises(TableError, match=why):
        read_raw_scans(path)


def test_missing_files(tmp_path):
    with pytest.raises(NotFoundError):
        read_raw_scans(tmp_path / "none")
