"""Files are written whole or not at all, and errors name the file a person asked for."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from twomass_nb.errors import ExistsError, WriteError
from twomass_nb.files import refuse_existing, whole_file


def test_what_is_written_is_there_and_nothing_else(tmp_path):
    path = tmp_path / "new" / "file"
    with whole_file(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, "No space left on device"), WriteError),
        (ValueError("mine"), ValueError),
    ],
)
def test_nothing_is_left_when_it_fails(tmp_path, error, raised):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(raised) as caught, whole_file(path) as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    if raised is WriteError:
        assert str(path) in str(caught.value)
        assert ".part" not in str(caught.value)


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "below", Path("/proc/none/file")):
        with pytest.raises(WriteError, match="cannot be written"), whole_file(path):
            pass


def test_nothing_is_overwritten_unasked(tmp_path):
    refuse_existing(tmp_path / "new")
    with pytest.raises(ExistsError, match="exists already"):
        refuse_existing(tmp_path)
    refuse_existing(tmp_path, overwrite=True)
