"""How a raw file is gzipped, and how a simulated one says so in its gzip header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from .inflate import is_gzip_name
from .layout import FRAME_BYTES

__all__ = ["packed", "says_simulated"]

_COMMENT = b"SIMULATED by twomass_nb: no telescope has seen this"
_PIECE = 16 * FRAME_BYTES
# Flags of a gzip header (RFC 1952).
_EXTRA, _NAME, _HAS_COMMENT = 4, 8, 16


def packed(data: NDArray[np.uint8], level: int = 1, *, simulated: bool) -> Iterator[bytes]:
    """Yield the pieces of a gzip file; the same data give the same bytes.

    Parameters
    ----------
    data : array of uint8
    level : {0, 1, 2, 3}
        As isal counts them.
    simulated : bool
        Whether the header has a comment that says so. gunzip and everything else ignores it.
    """
    squeezer = isal_zlib.compressobj(level=level, wbits=-15)
    yield b"\x1f\x8b\x08" + bytes([_HAS_COMMENT if simulated else 0]) + bytes(5) + b"\xff"
    if simulated:
        yield _COMMENT + b"\0"
    crc = 0
    for start in range(0, data.size, _PIECE):
        piece = np.ascontiguousarray(data[start : start + _PIECE]).data
        crc = isal_zlib.crc32(piece, crc)
        yield squeezer.compress(piece)
    yield squeezer.flush()
    yield crc.to_bytes(4, "little") + (data.size % (1 << 32)).to_bytes(4, "little")


def says_simulated(path: Path) -> bool:
    """Whether a file's gzip header says that it is simulated."""
    if not is_gzip_name(path):
        return False
    with path.open("rb") as file:
        start = file.read(4096)
    if start[:3] != b"\x1f\x8b\x08" or len(start) < 10 or not start[3] & _HAS_COMMENT:
        return False
    at = 10
    if start[3] & _EXTRA:
        at += 2 + int.from_bytes(start[at : at + 2], "little")
    if start[3] & _NAME:
        at = start.find(b"\0", at) + 1
    return start[at:].startswith(b"SIMULATED")
