"""How the bytes of a raw file get into memory: whole and fast, or cut and broken and with care."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray
from tqdm import tqdm

from ..errors import RawFileError
from .layout import FRAME_BYTES
from .screening import GZIP, MAX_BYTES, check_before_reading, check_size, is_gzip_name, too_large

__all__ = [
    "MAX_BYTES",
    "Content",
    "digest_of",
    "frames_promised",
    "is_gzip_name",
    "new_digest",
    "pour",
    "read_content",
]

_DAMAGED: Any = (isal_zlib.error, zlib.error)  # isal's stubs do not know its is an exception
_PIECE = 1 << 18  # compressed bytes handed to the inflater at a time
_AHEAD = 4  # pieces inflated that may wait for their place
_COPIED = 1 << 21  # bytes of such a piece, where they are only copied
_MOST_AT_ONCE = 1 << 24  # bytes that a piece may become at a time
_MOST_MEMBERS = 1 << 16  # parts of a gzip file; each costs a copy of the bytes at hand


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
    rubbish : int
        Bytes after the end of the gzip data that are neither gzip nor padding.
    digest : str
        Hash of the file as it is on disk; empty unless asked for.
    """

    data: NDArray[np.uint8]
    truncated: bool = False
    rubbish: int = 0
    digest: str = ""

    @property
    def n_frames(self) -> int:
        """How many frames `data` is long."""
        return self.data.size // FRAME_BYTES


def new_digest() -> Any:
    """Return the hash that names the content of files: BLAKE2b, which is quick everywhere."""
    return hashlib.blake2b(digest_size=20)


def digest_of(path: Path) -> str:
    """Return the hash of a file as it is on disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, new_digest).hexdigest()


def frames_promised(path: Path) -> int:
    """Return how many frames a file's end says it has: a hint, not a proof; 0 if it makes no sense.

    gzip ends with the size of what was compressed, modulo 2**32.
    """
    try:
        with path.open("rb") as file:
            packed = file.seek(0, os.SEEK_END)
            file.seek(max(0, packed - 4))
            size = int.from_bytes(file.read(4), "little")
    except OSError:  # whoever reads it will say why
        return 0
    if not is_gzip_name(path):
        return packed // FRAME_BYTES
    # Deflate packs at most 1032 to 1, so a larger claim is a lie.
    if size > min(MAX_BYTES, 1032 * packed) or size % FRAME_BYTES:
        return 0
    return size // FRAME_BYTES


def read_content(path: Path, hashed: bool = False) -> Content:
    """Read a raw file, decompressing it if its name ends in ``.gz``.

    Parameters
    ----------
    path : Path
    hashed : bool, optional
        Whether to hash the file too.

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
        if not is_gzip_name(path):
            data = np.memmap(path, np.uint8, mode="r")
            check_size(path, data.size, b"")  # it may have shrunk since
            digest = new_digest()
            if hashed:
                digest.update(data)
            return Content(data, digest=digest.hexdigest() if hashed else "")
        return _whole(path, hashed) or _with_care(path, hashed)
    except RawFileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: it is empty now
        msg = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise RawFileError(msg) from error


class _Hashed(io.FileIO):
    """A file that another thread hashes as it is read."""

    def __init__(self, path: Path, worker: ThreadPoolExecutor, hashed: bool) -> None:
        super().__init__(path)
        self.size = os.fstat(self.fileno()).st_size
        self.done = 0
        self.digest = new_digest()
        self._worker, self._hashed = worker, hashed

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the file goes."""
        n = super().readinto(buffer) or 0
        self.done += n
        if self._hashed and n:
            self._worker.submit(self.digest.update, bytes(memoryview(buffer)[:n]))
        return n


def pour(
    path: Path,
    pieces: list[tuple[Any, int]],
    place: Callable[[Any, bytes], object],
    hashed: bool = False,
) -> str | None:
    """Read a file, inflating it if it is gzip, while another thread puts its pieces in place.

    Parameters
    ----------
    path : Path
    pieces : list of (where, int)
        What `place` is told of each piece, and how many bytes it has.
    place : callable
        Called with `where` and the bytes.
    hashed : bool, optional
        Whether to hash the file too.

    Returns
    -------
    str or None
        The hash, or an empty text. None unless the file is whole, undamaged and exactly as long
        as the pieces; what was placed is worthless then, and `read_content` says what is wrong.
    """
    shown = tqdm(
        pieces, desc=f"reading {path.name}", delay=1, leave=False, disable=not sys.stderr.isatty()
    )
    with ThreadPoolExecutor(1) as worker, _Hashed(path, worker, hashed) as raw:
        waiting: deque[Future[object]] = deque()
        file: Any = (
            igzip.IGzipFile(fileobj=raw, mode="rb")
            if is_gzip_name(path)
            else io.BufferedReader(raw)
        )
        try:
            for where, size in shown:
                piece = file.read(size)
                if len(piece) < size:
                    return None
                waiting.append(worker.submit(place, where, piece))
                if len(waiting) > _AHEAD:
                    waiting.popleft().result()
            if file.read(1) or raw.done != raw.size:
                return None
        except (EOFError, OSError, *_DAMAGED):
            return None
        for placed in waiting:
            placed.result()
        worker.shutdown()
        return raw.digest.hexdigest() if hashed else ""


def _whole(path: Path, hashed: bool) -> Content | None:
    """Return the content of an ordinary file; None for one that must be read with care."""
    size = frames_promised(path) * FRAME_BYTES
    if not size:
        return None
    data = np.empty(size, np.uint8)
    pieces = [(at, min(_COPIED, size - at)) for at in range(0, size, _COPIED)]

    def place(at: int, piece: bytes) -> None:
        data[at : at + len(piece)] = np.frombuffer(piece, np.uint8)

    digest = pour(path, pieces, place, hashed)
    return None if digest is None else Content(data, digest=digest)


def _with_care(path: Path, hashed: bool) -> Content:
    """Read a gzip file that may be cut or broken, end in rubbish, or have many members."""
    data, end = _inflated(path)
    truncated, rubbish = end.truncated, end.rubbish
    if truncated:
        _compare(path, data)
    whole = data.size // FRAME_BYTES * FRAME_BYTES
    if truncated and whole == 0:
        msg = f"{path} is cut off before the end of its first frame: fetch it again"
        raise RawFileError(msg)
    if rubbish and (whole == 0 or whole != data.size):
        msg = f"{path} is damaged (after {data.size} good bytes comes no gzip data): fetch it again"
        raise RawFileError(msg)
    if not truncated:
        check_size(path, data.size, bytes(data[:8]))
    return Content(data[:whole], truncated, rubbish, digest_of(path) if hashed else "")


@dataclass
class _End:
    """How a gzip file ends: too early, or with what follows its last member."""

    truncated: bool = False
    rubbish: int = 0


def _inflated(path: Path) -> tuple[NDArray[np.uint8], _End]:
    """Return the decompressed bytes and how they end."""
    buffer, size, end = np.empty(max(1, frames_promised(path) * FRAME_BYTES), np.uint8), 0, _End()
    try:
        for out in _outputs(path, isal_zlib, end):
            if size + len(out) > MAX_BYTES:
                raise RawFileError(too_large(path))
            if size + len(out) > buffer.size:
                bigger = np.empty(min(max(2 * buffer.size, size + len(out)), MAX_BYTES), np.uint8)
                bigger[:size] = buffer[:size]
                buffer = bigger
            buffer[size : size + len(out)] = np.frombuffer(out, np.uint8)
            size += len(out)
    except RawFileError:
        buffer = bigger = np.empty(0, np.uint8)  # whoever keeps the error keeps these
        raise
    return buffer[:size], end


def _compare(path: Path, data: NDArray[np.uint8]) -> None:
    """Raise `RawFileError` if zlib finds a cut file damaged.

    Without its checksum only the packing itself can show damage, and zlib sees more of it than
    isal. They stop at different bytes before the cut.
    """
    at = 0
    for out in _outputs(path, zlib, _End()):
        part = data[at : at + len(out)]
        if not np.array_equal(part, np.frombuffer(out, np.uint8)[: part.size]):
            msg = f"{path} is damaged, and cut off: fetch it again"
            raise RawFileError(msg)
        at += len(out)


def _outputs(path: Path, library: Any, end: _End) -> Iterator[bytes]:
    """Yield what a gzip file decompresses to, and note how it ends.

    It may have several members; zero bytes after the last are padding (of tapes).
    """
    members, inner = 0, None
    with path.open("rb") as file:
        piece = file.read(_PIECE)
        while piece:
            if inner is None:
                piece = piece.lstrip(b"\0") if members else piece
                if len(piece) < len(GZIP) and (more := file.read(_PIECE)):
                    piece += more
                    continue
                if members and not piece.startswith(GZIP):
                    if piece:
                        rest = os.fstat(file.fileno()).st_size - file.tell()
                        end.rubbish = len(piece) + rest
                    return
                inner, members = library.decompressobj(wbits=31), members + 1
                if members > _MOST_MEMBERS:
                    msg = f"{path} has more than {_MOST_MEMBERS} gzip members: no scan is like that"
                    raise RawFileError(msg)
            try:
                yield (out := inner.decompress(piece, _MOST_AT_ONCE))
                while not inner.eof and (inner.unconsumed_tail or len(out) == _MOST_AT_ONCE):
                    yield (out := inner.decompress(inner.unconsumed_tail, _MOST_AT_ONCE))
            except _DAMAGED as error:
                msg = f"{path} is damaged ({str(error).strip() or 'bad data'}): fetch it again"
                raise RawFileError(msg) from None
            if inner.eof:
                piece, inner = inner.unused_data, None
                piece = piece or file.read(_PIECE)
            else:
                piece = file.read(_PIECE)
    end.truncated = inner is not None
