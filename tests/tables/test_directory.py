from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.errors import NotFoundError, TableError
from twomass_nb.tables import read_dir

NAMES = ("j1186063.rds.gz", "h1186063.par.gz", "k1186063.rds.gz")
SIZES = (21_345_678, 4_321, 19_876_543)
MD5 = "d41d8cd98f00b204e9800998ecf8427e"
# A line for each way in which such a list may have been made.
FORMS = {
    "ls -l": "-rw-r--r--   1 obs      tmass    {size:>9} May 30  2000 {name}",
    "ls -l of this year": "-rw-r--r-- 1 obs 100 {size} May 30 11:02 {name}",
    "ls -l --full-time": "-rw-r--r-- 1 o t {size} 2000-05-30 11:02:03.000000000 -0400 {name}",
    "tar -tv": "-rw-r--r-- obs/tmass {size} 2000-05-30 11:02 {name}",
    "tar -tv of old": "-rw-r--r-- 101/20 {size} May 30 11:02 2000 {name}",
    "size name": "{size} {name}",
    "name size": "{name}\t{size}",
    "name: size,": "{name}: {size},",
    "du -b": "{size}\t./000529s/{name}",
    "cksum": "3217834 {size} {name}",
}


def listing(tmp_path, text, name="000529s.dir"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_names_and_sizes_of_every_common_listing(tmp_path, form):
    lines = [form.format(name=n, size=s) for n, s in zip(NAMES, SIZES, strict=True)]
    table = read_dir(listing(tmp_path, "\n".join(lines)))
    assert [name.rpartition("/")[2] for name in table["file"]] == list(NAMES)
    assert table["size"].tolist() == list(SIZES)
    assert table["size"].unit == u.byte
    assert table["line"].tolist() == lines
    assert table["date"].tolist() == ["2000-05-29"] * 3
    assert table["hemis"].tolist() == ["s"] * 3
    assert table["scan"].tolist() == [63] * 3
    assert table["band"].tolist() == list("jhk")
    assert table["kind"].tolist() == ["raw", "par", "raw"]
    assert ("2000-05-30" in form or "May" in form) == (not table["time"].mask.any())
    assert "guess" in table.meta


def test_blocks_of_a_disk_are_not_taken_for_bytes(tmp_path):
    table = read_dir(listing(tmp_path, "total 40245\n20845 j1186063.rds.gz\n5 j1186063.par.gz\n"))
    assert table["size"].mask.all()
    assert table["blocks"].tolist() == [20845, 5]
    assert table.meta["unknown"] == ["total 40245"]


def test_names_alone_in_columns_and_checksums(tmp_path):
    text = f"j1186063.rds.gz  h1186063.rds.gz\n{MD5}  k1186063.rds.gz\n000529s.lgo\n"
    table = read_dir(listing(tmp_path, text))
    assert table["file"].tolist()[2:] == ["k1186063.rds.gz", "000529s.lgo"]
    assert table["md5"].tolist() == [None, None, MD5, None]
    assert table["size"].mask.all()
    assert (table["kind"][3], table["date"][3], table["hemis"][3]) == ("log", "2000-05-29", "s")
    assert table["scan"].mask.tolist() == [False, False, False, True]


def test_a_file_of_another_night_keeps_its_date_and_no_hemisphere(tmp_path):
    table = read_dir(listing(tmp_path, "100 j1187063.rds.gz\n100 j1186063.rds.gz\n"))
    assert table["date"].tolist() == ["2000-05-30", "2000-05-29"]
    assert table["hemis"].mask.tolist() == [True, False]


def test_what_is_not_understood_is_kept(tmp_path):
    text = "# SIMULATE = T\nDirectory of the night\n100 j1186063.rds.gz\nj1186063.rds.gz.bak\n"
    table = read_dir(listing(tmp_path, gzip.compress(text.encode()), "list"))
    assert len(table) == 1
    assert table.meta["unknown"] == [
        "# SIMULATE = T", "Directory of the night", "j1186063.rds.gz.bak"
    ]  # fmt: skip
    assert table.meta["raw"] == text
    assert table.meta["SIMULATE"] is True
    assert table["hemis"].mask.all()


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"))))
def test_no_line_is_lost(tmp_path_factory, lines):
    text = "\n".join([*lines, "1 j1186063.rds.gz"])
    table = read_dir(listing(tmp_path_factory.getbasetemp(), text))
    kept = set(np.asarray(table["line"])) | set(table.meta["unknown"])
    assert kept == {line for line in table.meta["raw"].splitlines() if line.strip()}


def test_what_is_no_list_is_refused(tmp_path):
    with pytest.raises(TableError, match="no line names a file"):
        read_dir(listing(tmp_path, "hello\n"))
    with pytest.raises(NotFoundError):
        read_dir(tmp_path / "none.dir")
