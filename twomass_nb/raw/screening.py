"""What a file's status and first bytes show before it is read: no raw scan, or something else."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from isal import isal_zlib

from ..errors import NotFoundError, RawFileError
from .layout import FRAME_BYTES

__all__ = ["GZIP", "MAX_BYTES", "check_before_reading", "check_size", "is_gzip_name", "too_large"]

#: Most bytes a scan may have: it is in memory twice while its order is found, and that must stay
#: below 2 GiB. A survey scan has 72 MB; this is 14 times as much.
MAX_BYTES = 3900 * FRAME_BYTES
#: How a gzip file begins.
GZIP = b"\x1f\x8b"

_DAMAGED: Any = isal_zlib.error  # its type stubs do not know that it is an exception
_MARKS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd",
          b"SIMPLE  =": "FITS"}  # fmt: skip
# Files of the language R share the suffix .rds: their first bytes, once decompressed.
_R_MARKS = (b"X\n\0\0\0", b"A\n2\n", b"A\n3\n", b"B\n")


def is_gzip_name(path: Path) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.suffix.lower() == ".gz"


def check_before_reading(path: Path) -> None:
    """Refuse what its status and first bytes already show to be no raw file.

    Raises
    ------
    NotFoundError
        If there is no such file.
    RawFileError
        If it is a folder, empty, or not what its name says.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        msg = f"there is no file {path}"
        raise NotFoundError(msg) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        msg = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise RawFileError(msg) from None
    if stat.S_ISDIR(status.st_mode):
        msg = f"{path} is a folder: name one raw file in it, as j1186063.rds.gz"
    elif not stat.S_ISREG(status.st_mode):
        msg = f"{path} is not a regular file: copy its content to a file first"
    elif status.st_size == 0:
        msg = f"{path} is empty: fetch it again"
    else:
        _check_start(path, status.st_size)
        return
    raise RawFileError(msg)


def _check_start(path: Path, size: int) -> None:
    try:
        start = _first_bytes(path)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise RawFileError(msg) from None
    if not is_gzip_name(path):
        check_size(path, size, start)
    elif start[:2] != GZIP:
        what = _foreign(start) or "not gzip"
        msg = f"{path} is {what}, although its name says gzip: rename it or fetch it again"
        raise RawFileError(msg)


def check_size(path: Path, size: int, start: bytes) -> None:
    """Refuse what is no whole number of frames, saying what it is instead where that is known."""
    if size > MAX_BYTES:
        raise RawFileError(too_large(path))
    if size and size % FRAME_BYTES == 0:
        return
    if what := _foreign(start):
        msg = f"{path} is {what}, not a raw 2MASS scan"
    elif start[:2] == GZIP:
        inner = isal_zlib.decompressobj(wbits=31)
        try:
            first = inner.decompress(_first_bytes(path, 4096), max_length=16)
        except _DAMAGED:
            first = b""
        what = _foreign(first) or "compressed: give it a name that ends in .gz"
        msg = f"{path} is {what}"
    else:
        msg = (
            f"{path} holds {size} bytes, no whole number of frames of {FRAME_BYTES}: "
            "it is cut off or no raw scan"
        )
    raise RawFileError(msg)


def _foreign(start: bytes) -> str:
    if start.startswith(_R_MARKS):
        return "a data file of the language R (which uses the same suffix .rds)"
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return f"a {name} file"
    return ""


def _first_bytes(path: Path, n: int = 16) -> bytes:
    with path.open("rb") as file:
        return file.read(n)


def too_large(path: Path) -> str:
    """Return what to say of a file that holds more than a scan can have."""
    return (
        f"{path} holds more than {MAX_BYTES // FRAME_BYTES} frames ({MAX_BYTES >> 20} MiB): "
        "no scan is that long, so it is not read"
    )
