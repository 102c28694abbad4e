"""How the bytes of a table file are got at, plain or gzipped, and what is wrong if they are not."""

from __future__ import annotations

import gzip
import stat
import zlib
from os import PathLike
from pathlib import Path

from ..errors import NotFoundError, TableError
from ..files import as_path

__all__ = ["read_bytes", "read_text"]

_GZIP = b"\x1f\x8b"
#: No table of the archive comes near: 1,230,414 files are listed in some 120 MB.
_MOST_BYTES = 1_000_000_000


def read_bytes(path: str | PathLike[str]) -> bytes:
    """Return a file's content, unpacked where it is gzipped (known by content, not by name).

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is a folder or a pipe, empty, too large, not readable, or its gzip is broken.
    """
    path = as_path(path)
    try:
        data = _content(path)
    except FileNotFoundError:
        msg = f"{path}: no such file"
        raise NotFoundError(msg) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as err:
        msg = f"{path} is a broken gzip file ({err}): get it again"
        raise TableError(msg) from None
    except OSError as err:
        msg = f"{path} cannot be read: {err.strerror or err}"
        raise TableError(msg) from None
    if len(data) > _MOST_BYTES:
        msg = f"{path} has more than {_MOST_BYTES} bytes, unpacked: no table is so large"
        raise TableError(msg)
    if not data.strip():
        msg = f"{path} is empty"
        raise TableError(msg)
    return data


def _content(path: Path) -> bytes:
    """Return what a file holds, unpacked; of one too large a byte more than is allowed."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):  # to read a pipe could wait for ever
        what = "a folder: name the file in it" if stat.S_ISDIR(mode) else "a pipe or a device"
        msg = f"{path} is {what}"
        raise TableError(msg)
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            return file.read(_MOST_BYTES + 1)
        with gzip.GzipFile(fileobj=file) as unpacked:
            return unpacked.read(_MOST_BYTES + 1)


def read_text(path: str | PathLike[str]) -> str:
    """Return a text file's content; see `read_bytes`.

    Raises
    ------
    TableError
        If it holds binary data.
    """
    data = read_bytes(path)
    if b"\0" in data:
        msg = f"{path} is not a text file: it holds binary data"
        raise TableError(msg)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")  # what the observatories' computers of 1997 wrote
