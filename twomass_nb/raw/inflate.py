"""How the bytes of a raw file get into memory: gzip by content, cut files, broken files, bombs."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from ..errors import NotFoundError, RawFileError
from .layout import FRAME_BYTES

__all__ = [
    "MAX_BYTES",
    "Content",
    "check_before_reading",
    "ends_whole",
    "is_gzip_name",
    "read_content",
]

#: Most bytes a scan may have: it is in memory twice while it is decoded, and that must stay
#: below 2 GiB. A survey scan has 72 MB; this is 14 times as much.
MAX_BYTES = 3900 * FRAME_BYTES

_DAMAGED: Any = isal_zlib.error  # its type stubs do not know that it is an exception
_GZIP = b"\x1f\x8b"
_PIECE = 1 << 18  # compressed bytes handed to the inflater at a time
_MARKS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd",
          b"SIMPLE  =": "FITS"}  # fmt: skip
# Files of the language R share the suffix .rds: their first bytes, once decompressed.
_R_MARKS = (b"X\n\0\0\0", b"A\n2\n", b"A\n3\n", b"B\n")


@dataclass(frozen=True)
class Content:
    """The decompressed bytes of a raw file.

    Attributes
    ----------
    data : array of uint8
        A memory map when the file is not compressed. Always a whole number of frames long.
    truncated : bool
        Whether the file was cut; `data` then holds what precedes the cut, less the bytes of
        an unfinished frame. It is whole frames only if the order keeps frames together.
    """

    data: NDArray[np.uint8]
    truncated: bool = False

    @property
    def n_frames(self) -> int:
        """How many frames `data` is long."""
        return self.data.size // FRAME_BYTES


def is_gzip_name(path: Path) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.suffix.lower() == ".gz"


def read_content(path: Path) -> Content:
    """Read a raw file, decompressing it if its name ends in ``.gz``.

    Raises
    ------
    NotFoundError
        If there is no such file.
    RawFileError
        If it cannot be a raw file: a directory, empty, not gzip, damaged, too large, or no
        whole number of frames.
    """
    check_before_reading(path)
    try:
        if is_gzip_name(path):
            data, truncated = _inflate(path)
        else:
            data, truncated = np.memmap(path, np.uint8, mode="r"), False
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise RawFileError(msg) from error
    if truncated:
        whole = data.size // FRAME_BYTES * FRAME_BYTES
        if whole == 0:
            msg = f"{path} is cut off before the end of its first frame: fetch it again"
            raise RawFileError(msg)
        return Content(data[:whole], truncated=True)
    if is_gzip_name(path):
        _check_size(path, data.size, bytes(data[:8]))
    return Content(data)


def ends_whole(path: Path) -> bool:
    """Whether a file's end does not speak against its being whole: a look, not a proof.

    gzip ends with the size of what was compressed; that of a scan is a number of frames.
    """
    if not is_gzip_name(path):
        return True
    with path.open("rb") as file:
        file.seek(-min(4, path.stat().st_size), os.SEEK_END)
        size = int.from_bytes(file.read(4), "little")
    return size > 0 and size % FRAME_BYTES == 0


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
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
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
        _check_size(path, size, start)
    elif start[:2] != _GZIP:
        what = _foreign(start) or "not gzip"
        msg = f"{path} is {what}, although its name says gzip: rename it or fetch it again"
        raise RawFileError(msg)


def _check_size(path: Path, size: int, start: bytes) -> None:
    """Refuse what is no whole number of frames, saying what it is instead where that is known."""
    if size > MAX_BYTES:
        raise RawFileError(_too_large(path))
    if size and size % FRAME_BYTES == 0:
        return
    if what := _foreign(start):
        msg = f"{path} is {what}, not a raw 2MASS scan"
    elif start[:2] == _GZIP:
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


def _too_large(path: Path) -> str:
    return (
        f"{path} holds more than {MAX_BYTES // FRAME_BYTES} frames ({MAX_BYTES >> 20} MiB): "
        "no scan is that long, so it is not read"
    )


def _inflate(path: Path) -> tuple[NDArray[np.uint8], bool]:
    """Return the decompressed bytes, and whether the file ends too early.

    A gzip file may have several members; zero bytes after the last are padding (of tapes).
    """
    buffer, size = np.empty(_size_hint(path), np.uint8), 0
    inner: Any = None
    with path.open("rb") as file:
        piece = file.read(_PIECE)
        while piece:
            if inner is None:
                piece = piece.lstrip(b"\0") if size else piece
                if not piece:
                    piece = file.read(_PIECE)
                    continue
                inner = isal_zlib.decompressobj(wbits=31)
            try:
                out = inner.decompress(piece, max_length=MAX_BYTES + 1 - size)
            except _DAMAGED as error:
                msg = f"{path} is damaged ({str(error).strip() or 'bad data'}): fetch it again"
                raise RawFileError(msg) from None
            if size + len(out) > MAX_BYTES:
                raise RawFileError(_too_large(path))
            if size + len(out) > buffer.size:
                bigger = np.empty(min(max(2 * buffer.size, size + len(out)), MAX_BYTES), np.uint8)
                bigger[:size] = buffer[:size]
                buffer = bigger
            buffer[size : size + len(out)] = np.frombuffer(out, np.uint8)
            size += len(out)
            if inner.eof:
                piece, inner = inner.unused_data, None
                piece = piece or file.read(_PIECE)
            else:
                piece = file.read(_PIECE)
    return buffer[:size], inner is not None


def _size_hint(path: Path) -> int:
    """Size the file says it has, modulo 2**32 and only a hint: it is checked by reading."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        size = int.from_bytes(file.read(4), "little")
    # Deflate packs at most 1032 to 1, so a larger claim is a lie.
    return max(1, min(size, MAX_BYTES, 1032 * path.stat().st_size))
