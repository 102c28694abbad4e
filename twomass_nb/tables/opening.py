"""How the bytes of a table file are got at, plain or gzipped, and what is wrong if they are not."""

from __future__ import annotations

import gzip
import zlib
from os import PathLike
from pathlib import Path

from ..errors import NotFoundError, TableError

__all__ = ["read_bytes", "read_text"]

_GZIP = b"\x1f\x8b"


def read_bytes(path: str | PathLike[str]) -> bytes:
    """Return a file's content, unpacked where it is gzipped (known by content, not by name).

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is a folder, empty, not readable, or its gzip is broken.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        msg = f"{path}: no such file"
        raise NotFoundError(msg) from None
    except IsADirectoryError:
        msg = f"{path} is a folder: name the file in it"
        raise TableError(msg) from None
    except OSError as err:
        msg = f"{path} cannot be read: {err.strerror or err}"
        raise TableError(msg) from None
    if data[:2] == _GZIP:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as err:
            msg = f"{path} is a broken gzip file ({err}): get it again"
            raise TableError(msg) from None
    if not data.strip():
        msg = f"{path} is empty"
        raise TableError(msg)
    return data


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
