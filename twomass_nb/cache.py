"""The cache folder: what can be made or fetched again; bounded in size, shared by processes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import TwomassError

__all__ = ["DISPOSABLE", "cache_folder", "cache_limit", "locked", "make_room", "mark_used"]

#: Folders of the cache whose files may be dropped at any time, least recently used first: frames
#: decoded, and files fetched. All others (tables, layouts learnt, samples) go only when told to.
DISPOSABLE = ("frames", "archive")
_DEFAULT_LIMIT = 20_000_000_000  # about 270 decoded scans
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time work on `path`; others wait. A dead process holds no lock.

    Parameters
    ----------
    path : path
        A file of the cache, there or not. The lock is a file beside it, ``.{name}.lock``.
    """
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield


def mark_used(path: Path) -> None:
    """Note that a file of the cache was used just now, so that others are dropped before it."""
    with suppress(OSError):
        os.utime(path)


def make_room(n_bytes: int) -> None:
    """Drop the least recently used disposable files until `n_bytes` more are within the limit.

    A file that another process has open or mapped stays readable to it (POSIX).
    """
    files = []
    for kind in DISPOSABLE:
        for path in (cache_folder() / kind).rglob("*"):
            with suppress(OSError):
                if path.is_file() and not path.name.startswith("."):
                    status = path.stat()
                    files.append((status.st_mtime_ns, status.st_size, path))
    over = sum(size for _, size, _ in files) + n_bytes - cache_limit()
    for _, size, path in sorted(files):
        if over <= 0:
            break
        with suppress(OSError):
            path.unlink()
            over -= size
