"""What is noted of a file in the cache: where it came from, what it must be, when it was used."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import TwomassWarning, WriteError
from ..files import whole_file
from .folder import in_cache
from .locks import locked

__all__ = ["drop", "keep_origin", "last_used", "mark_used", "origin", "verified"]


def mark_used(path: Path) -> None:
    """Note that a file of the cache was used just now, so that others are dropped before it.

    The note beside it is touched, if there is one: times of the file itself stay what they are
    for those who know it by them.
    """
    with suppress(OSError):
        try:
            os.utime(_note_of(path))
        except FileNotFoundError:
            os.utime(path)


def last_used(path: Path) -> int:
    """Return when a file of the cache was written or marked as used last, in ns."""
    times = [path.stat().st_mtime_ns]
    with suppress(OSError):
        times.append(_note_of(path).stat().st_mtime_ns)
    return max(times)


def drop(path: Path) -> bool:
    """Remove a file of the cache and what is noted of it; return whether it is gone."""
    try:
        path.unlink(missing_ok=True)
        _note_of(path).unlink(missing_ok=True)
    except OSError:
        return not path.exists()
    return True


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.json")


def keep_origin(path: Path, size: int, sha256: str, source: str) -> None:
    """Note where a file of the cache came from and what it has to be, so that `verified` knows.

    Parameters
    ----------
    path : path
        Nothing is noted of a file outside of the cache. It need not be there yet.
    size, sha256 : int, str
        Its bytes, and their hash in hexadecimal digits.
    source : str
        An address, without secrets.
    """
    if not in_cache(path):
        return
    when = datetime.now(UTC).isoformat(timespec="seconds")
    note = {"size": size, "sha256": sha256, "from": source, "when": when}
    with whole_file(_note_of(path)) as file:
        file.write(json.dumps(note).encode())


def origin(path: Path) -> dict[str, Any] | None:
    """Return size, sha256, from and when of a file fetched into the cache; None if not noted."""
    try:
        note = json.loads(_note_of(path).read_text())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and {"size", "sha256"} <= note.keys() else None


#: Files found right in this process: what the system says of them then.
_right: dict[Path, tuple[int, ...]] = {}


def verified(path: Path, used: bool = True) -> bool:
    """Whether a file is there and, if it was fetched into the cache, still what was fetched.

    A damaged one is dropped with a warning. The whole file is hashed at its first use in a
    process and when the system says that it changed.

    Parameters
    ----------
    path : path
        Anywhere; a file outside of the cache only has to be there.
    used : bool, optional
        Whether that counts as use. If not, the file is hashed in any case.
    """
    if not path.is_file() or not in_cache(path):
        return path.is_file()
    try:
        right = _is_right(path, remembered=used) or _is_right_alone(path)
    except OSError:
        return False
    if not right:
        msg = f"{path} in the cache was damaged and is dropped"
        warnings.warn(msg, TwomassWarning, stacklevel=2)
    elif used:
        mark_used(path)
    return right


def _is_right(path: Path, remembered: bool) -> bool:
    """Whether a file is what was noted of it; so is one of which nothing was noted."""
    now = _identity(path)
    note = origin(path)
    if note is None or (remembered and _right.get(path) == now):
        return True
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != note["sha256"]:
            return False
    _right[path] = now
    return True


def _is_right_alone(path: Path) -> bool:
    """Look again while nobody else works on a file, and drop it if it is still wrong."""
    try:
        with locked(path):
            if _is_right(path, remembered=False):
                return True
            drop(path)
    except WriteError:
        pass  # a cache that cannot be written keeps it, unused
    return False


def _identity(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
