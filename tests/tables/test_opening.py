"""A table's file is read whole or refused in one line, whatever lies under its name."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

import twomass_nb as tm
from twomass_nb.errors import NotFoundError, TableError
from twomass_nb.tables import opening

READERS = (tm.read_scan_table, tm.read_raw_scans, tm.read_lgo, tm.read_par)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_read_is_the_content_unpacked(tmp_path, pack):
    path = tmp_path / "a table ü"
    path.write_bytes(pack(b"one\ntwo\n"))
    assert opening.read_bytes(path) == opening.read_bytes(str(path)) == b"one\ntwo\n"


def test_a_home_may_be_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "table").write_bytes(b"x")
    assert opening.read_bytes("~/table") == b"x"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("path", [None, 5, [], b"table", "a\0b"])
def test_what_is_no_path_is_said(reader, path):
    with pytest.raises(NotFoundError, match="is no path"):
        reader(path)


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_not_waited_for(tmp_path, reader):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(TableError, match="is a pipe or a device"):
            reader(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_too_large_is_not_read_to_its_end(tmp_path, monkeypatch, pack):
    path = tmp_path / "bomb"
    path.write_bytes(pack(b"x" * 100_000))
    monkeypatch.setattr(opening, "_MOST_BYTES", 100_000)
    assert len(opening.read_bytes(path)) == 100_000
    monkeypatch.setattr(opening, "_MOST_BYTES", 99_999)
    with pytest.raises(TableError, match="more than 99999 bytes"):
        opening.read_bytes(path)
