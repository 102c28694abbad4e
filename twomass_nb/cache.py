"""The cache folder: what can be made or fetched again; bounded in size, shared by processes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import NotFoundError, TwomassError, TwomassWarning, WriteError
from .files import whole_file

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "DISPOSABLE",
    "cache_folder",
    "cache_limit",
    "clear",
    "drop",
    "in_cache",
    "keep_origin",
    "kinds",
    "locked",
    "make_room",
    "mark_used",
    "origin",
    "usage",
    "verified",
]

#: Folders of the cache whose files may be dropped at any time, least recently used first: frames
#: decoded, and files fetched. All others (tables, layouts learnt, samples) go only when told to.
DISPOSABLE = ("frames", "archive")
_DEFAULT_LIMIT = 20_000_000_000  # about 270 decoded scans
#: Parts of downloads and leftovers of processes that were killed go after so many days.
_STALE_DAYS = 7
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]?)i?B?\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def cache_folder() -> Path:
    """Return the folder for what can be made or fetched again (``TWOMASS_NB_CACHE``).

    It need not exist yet.
    """
    if named := os.environ.get("TWOMASS_NB_CACHE"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "twomass_nb"


def cache_limit() -> int:
    """Return how many bytes the disposable files may have (``TWOMASS_NB_CACHE_SIZE``).

    Raises
    ------
    TwomassError
        If the variable is set to something that is no size, as ``20 GB``.
    """
    text = os.environ.get("TWOMASS_NB_CACHE_SIZE")
    if not text:
        return _DEFAULT_LIMIT
    match = _SIZE.fullmatch(text)
    if match is None:
        msg = f"TWOMASS_NB_CACHE_SIZE is {text!r}, which is no size: write it as '20 GB'"
        raise TwomassError(msg)
    return int(float(match[1]) * _UNITS[match[2].lower()])


def in_cache(path: Path) -> bool:
    """Whether a file is in the cache folder, or would be."""
    return cache_folder().absolute() in path.absolute().parents


#: The locks of each thread.
_held = threading.local()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process and thread at a time work on `path`; others wait. The dead hold no lock.

    Who holds it may take it again.

    Parameters
    ----------
    path : path
        A file, there or not. The lock is an empty file in the hidden folder ``.locks`` of the
        cache, which stays: to remove it could let two in at once.

    Raises
    ------
    WriteError
        If the cache folder cannot be written.
    """
    from filelock import FileLock

    # Relative, for a cache that several machines see, each under a name of its own.
    known = path.absolute()
    if in_cache(path):
        known = known.relative_to(cache_folder().absolute())
    digest = hashlib.sha256(known.as_posix().encode()).hexdigest()[:16]
    place = cache_folder().absolute() / ".locks" / f"{path.name[:100]}.{digest}"
    held = _held.__dict__.setdefault("places", set())
    if place in held:
        yield
        return
    lock = FileLock(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        msg = (
            f"the cache {cache_folder()} cannot be written: {error.strerror or error}; set "
            "TWOMASS_NB_CACHE to a folder of yours"
        )
        raise WriteError(msg) from error
    held.add(place)
    try:
        yield
    finally:
        held.remove(place)
        lock.release()


def mark_used(path: Path) -> None:
    """Note that a file of the cache was used just now, so that others are dropped before it."""
    with suppress(OSError):
        os.utime(path)


def make_room(n_bytes: int, keep: Path | None = None, limit: int | None = None) -> None:
    """Drop the least recently used disposable files until `n_bytes` more are within the limit.

    A file that another process has open or mapped stays readable to it (POSIX). Nothing is done
    in a cache that cannot be written.

    Parameters
    ----------
    n_bytes : int
        Bytes that are about to be written.
    keep : path, optional
        A file that stays, even if it alone is beyond the limit.
    limit : int, optional
        Bytes; `cache_limit` if not given.
    """
    limit = cache_limit() if limit is None else limit
    stays = keep and keep.absolute()
    # One at a time: two that look at the same moment would drop twice as much.
    with suppress(WriteError), locked(cache_folder() / "room"):
        files = sorted(_disposable())
        over = sum(size for _, size, _ in files) + n_bytes - limit
        for _, size, path in files:
            if over <= 0:
                break
            if not path.name.startswith(".") and path.absolute() != stays and drop(path):
                over -= size


def _disposable() -> Iterator[tuple[int, int, Path]]:
    """Yield time of last use, size and path of disposable files, parts too; drop stale ones."""
    stale = time.time_ns() - _STALE_DAYS * 86_400 * 10**9
    for kind in DISPOSABLE:
        for path in (cache_folder() / kind).rglob("*"):
            with suppress(OSError):
                status = path.stat()
                if path.is_dir():
                    continue
                if _is_leftover(path) and status.st_mtime_ns < stale:
                    path.unlink()
                    continue
                yield status.st_mtime_ns, status.st_size, path


def _is_leftover(path: Path) -> bool:
    """Whether a hidden file is a part, or what is noted of a file that is not there."""
    if not path.name.startswith("."):
        return False
    return not (path.suffix == ".json" and path.with_name(path.name[1:-5]).exists())


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


def verified(path: Path) -> bool:
    """Whether a file is there and, if it was fetched into the cache, still what was fetched.

    A damaged one is dropped with a warning. The whole file is hashed at its first use in a
    process and when the system says that it changed.
    """
    note = origin(path) if in_cache(path) else None
    try:
        if note is not None and _right.get(path) != _identity(path):
            with path.open("rb") as file:
                right = hashlib.file_digest(file, "sha256").hexdigest() == note["sha256"]
            if not right:
                drop(path)
                msg = f"{path} in the cache was damaged and is dropped"
                warnings.warn(msg, TwomassWarning, stacklevel=2)
                return False
        if in_cache(path):
            mark_used(path)
            _right[path] = _identity(path)
    except OSError:
        return False
    return path.is_file()


def _identity(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def kinds() -> list[str]:
    """Return the kinds of things in the cache: the names of its folders."""
    try:
        found = [p.name for p in cache_folder().iterdir() if p.is_dir()]
    except OSError:
        return []
    return sorted(name for name in found if not name.startswith("."))


def usage() -> Table:
    """Return how much of what is in the cache.

    Returns
    -------
    Table
        Columns ``kind`` (name of the folder), ``files``, ``bytes`` (parts of downloads count as
        bytes, not as files) and ``disposable``: whether files go by themselves at the limit.
    """
    from astropy.table import Table

    rows = []
    for kind in kinds():
        n_files = n_bytes = 0
        for path in (cache_folder() / kind).rglob("*"):
            with suppress(OSError):
                if path.is_file():
                    n_files += not path.name.startswith(".")
                    n_bytes += path.stat().st_size
        rows.append((kind, n_files, n_bytes, kind in DISPOSABLE))
    names, types = ("kind", "files", "bytes", "disposable"), (str, int, int, bool)
    return Table(rows=rows or None, names=names, dtype=types)


def clear(kind: str) -> int:
    """Remove all of a kind from the cache.

    Parameters
    ----------
    kind : str
        One of `kinds`.

    Returns
    -------
    int
        Bytes that are free now.

    Raises
    ------
    NotFoundError
        If there is no such kind.
    WriteError
        If the system refuses to remove something.
    """
    if kind not in kinds():
        msg = f"there is no {kind!r} in the cache: it has {', '.join(kinds()) or 'nothing'}"
        raise NotFoundError(msg)
    freed = 0
    for path in sorted((cache_folder() / kind).rglob("*"), reverse=True):  # files before folders
        try:
            if path.is_dir() and not path.is_symlink():
                with suppress(OSError):  # another process writes into it just now
                    path.rmdir()
                continue
            size = path.lstat().st_size
            path.unlink()
            freed += size
        except FileNotFoundError:
            continue
        except OSError as error:
            msg = f"{path} cannot be removed: {error.strerror or error}; look at its permissions"
            raise WriteError(msg) from error
    return freed
