"""What exactly is wrong with a gzip file that the reader refuses, and where in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isal import isal_zlib

from ..raw.inflate import MAX_BYTES

__all__ = ["Diagnosis", "diagnose"]

_PIECE = 1 << 16  # deflate packs at most 1032 to 1: a bomb gets 68 MB at a time
_DAMAGED: Any = isal_zlib.error  # its type stubs do not know that it is an exception
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Diagnosis:
    """The state of a gzip file.

    Attributes
    ----------
    code : str
        That of a finding, or ``"whole"``.
    text : str
    size : int
        Bytes that came out of it before the fault.
    """

    code: str
    text: str
    size: int


def diagnose(path: Path) -> Diagnosis:
    """Inflate a gzip file piece by piece, keeping nothing, as far as it goes.

    Members may follow each other, and zero bytes (padding of tapes) may follow the last.
    """
    size, members, size_before = 0, 0, 0
    inner: Any = None
    with path.open("rb") as file:
        piece = file.read(_PIECE)
        while piece and size <= MAX_BYTES:
            if inner is None:
                piece = piece.lstrip(b"\0") if members else piece
                if not piece:
                    piece = file.read(_PIECE)
                    continue
                if not members and piece[:2] != _GZIP:
                    return Diagnosis("not-gzip", "its name says gzip, its first bytes do not", 0)
                inner, size_before = isal_zlib.decompressobj(wbits=31), size
                start = file.tell() - len(piece)
            try:
                size += len(inner.decompress(piece))
            except _DAMAGED as error:
                if members and size == size_before:
                    text = f"other bytes follow its gzip data, from byte {start} on"
                    return Diagnosis("gzip-rubbish", text, size)
                return _damage(str(error), file.tell(), size)
            if inner.eof:
                members += 1
                piece, inner = inner.unused_data, None
                piece = piece or file.read(_PIECE)
            else:
                piece = file.read(_PIECE)
        end = file.tell()
    if inner is not None:
        return Diagnosis("gzip-cut", f"it ends at byte {end}, before its gzip data do", size)
    return Diagnosis("whole", "its gzip data are whole", size)


def _damage(error: str, near: int, size: int) -> Diagnosis:
    if "checksum" in error.lower():
        text = "what comes out of it does not have the checksum or size that its end says"
        return Diagnosis("gzip-crc", text, size)
    return Diagnosis("gzip-damaged", f"its gzip data are broken before byte {near}", size)
