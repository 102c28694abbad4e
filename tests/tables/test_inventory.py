from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy import units as u

from twomass_nb.errors import NotFoundError, TableError
from twomass_nb.tables import read_inventory

# Nobody here has seen a real one; what is surely in it are names of files.
FILES = ("j1186063.rds.gz", "h1186063.par.gz", "k0570083.rds.gz", "000529s.lgo")
FULL = [
    ("2000-05-29", "s", "63", FILES[0], "21345678", "raws0136", "s04", "x"),
    ("2000-05-29", "s", "63", FILES[1], "4321", "raws0136", "s04", "\\N"),
    ("1998-09-21", "n", "83", FILES[2], "1234567", "rawn0057", "n12", "y"),
    ("2000-05-29", "s", "\\N", FILES[3], "12345", "raws0136", "s04", "x"),
]
COLUMNS = ("date", "hemis", "scan", "file", "size", "tape_label", "disk_label", "note")


def dump(rows, columns=None, name="files"):
    listed = f" ({', '.join(columns)})" if columns else ""
    lines = ["\t".join(row) for row in rows]
    return "\n".join([f"COPY {name}{listed} FROM stdin;", *lines, "\\.", ""])


def put(tmp_path, text, name="inventory"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def check(table, labels=True):
    assert table["file"].tolist() == list(FILES)
    assert table["date"].tolist() == [row[0] for row in FULL]
    assert table["hemis"].tolist() == ["s", "s", "n", "s"]
    assert table["scan"].tolist() == [63, 63, 83, None]
    assert table["band"].tolist() == ["j", "h", "k", None]
    assert table["kind"].tolist() == ["raw", "par", "raw", "log"]
    assert table["size"].tolist() == [21345678, 4321, 1234567, 12345]
    assert table["size"].unit == u.byte
    if labels:
        assert table["disk_label"].tolist() == ["s04", "s04", "n12", "s04"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_columns_told_by_their_names(tmp_path, pack):
    table = read_inventory(put(tmp_path, pack(dump(FULL, COLUMNS).encode())))
    check(table)
    assert table["tape_label"].tolist()[2] == "rawn0057"
    assert table["note"].tolist() == ["x", None, "y", "x"]
    assert table.meta["recognized"] == {}


def test_columns_told_by_other_names(tmp_path):
    names = ("ordate", "site", "scn", "filename", "bytes", "tape", "disk", "note")
    check(read_inventory(put(tmp_path, dump(FULL, names))))


def test_columns_told_by_their_content(tmp_path):
    table = read_inventory(put(tmp_path, dump(FULL)))
    check(table)
    assert set(table.meta["recognized"]) == {
        "file", "date", "tape_label", "disk_label", "size", "hemis",
    }  # fmt: skip
    assert table["column_3"].tolist() == [63, 63, 83, None]  # the scan: its name says it too


def test_of_names_and_sizes_alone_names_tell_the_rest(tmp_path):
    rows = [(f"{'980921n' if row[1] == 'n' else '000529s'}/{row[3]}", row[4]) for row in FULL]
    table = read_inventory(put(tmp_path, dump(rows, ("name", "length"))))
    table["file"] = [name.rpartition("/")[2] for name in table["file"]]
    check(table, labels=False)


def test_labels_tell_the_hemisphere(tmp_path):
    rows = [(row[3], row[4], row[5].upper()) for row in FULL]
    check(read_inventory(put(tmp_path, dump(rows, ("f", "n", "label")))), labels=False)


def test_the_disk_is_told_by_a_name(tmp_path):
    rows = [(row[3], row[4]) for row in FULL if row[1] == "s"]
    table = read_inventory(put(tmp_path, dump(rows), "disk_s04"))
    assert table["disk_label"].tolist() == ["s04"] * 3
    assert table["hemis"].tolist() == ["s"] * 3
    (tmp_path / "disk_s04").rename(tmp_path / "files.dump")
    assert "disk_label" not in read_inventory(tmp_path / "files.dump").colnames
    (tmp_path / "disk_s04").touch()
    assert read_inventory(tmp_path / "files.dump")["disk_label"].tolist() == ["s04"] * 3


def test_it_is_found_among_other_tables_and_in_what_psql_prints(tmp_path):
    other = dump([("1", "2")], ("a", "b"), "lgo")
    check(read_inventory(put(tmp_path, "-- SIMULATE = T\n" + other + dump(FULL, COLUMNS))))
    assert read_inventory(tmp_path / "inventory").meta["SIMULATE"] is True
    text = " | ".join(COLUMNS) + "\n" + "-+-".join("-" * len(name) for name in COLUMNS) + "\n"
    text += "\n".join(" | ".join(row).replace("\\N", "") for row in FULL)
    check(read_inventory(put(tmp_path, text + "\n(4 rows)\n")))


def test_unknown_files_are_kept(tmp_path):
    table = read_inventory(put(tmp_path, dump([*[r[3:5] for r in FULL], ("README", "12")])))
    assert table["file"][4] == "README"
    assert table["kind"].mask.tolist() == [False] * 4 + [True]
    assert np.asarray(table["size"])[4] == 12


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "not a file inventory"),
        (dump([("1", "2")], ("file", "size")), "not a file inventory"),
        ("", "empty"),
    ],
)
def test_what_is_no_inventory_is_refused(tmp_path, text, why):
    with pytest.raises(TableError, match=why):
        read_inventory(put(tmp_path, text))
    with pytest.raises(NotFoundError):
        read_inventory(tmp_path / "none")
