"""How much of what is in the cache, and how room is made in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotFoundError, WriteError
from .folder import DISPOSABLE, cache_folder, cache_limit, kinds
from .locks import locked
from .origins import drop, last_used, origin

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["clear", "contents", "make_room", "usage"]

#: Parts of downloads and leftovers of processes that were killed go after so many days.
_STALE_DAYS = 7


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
                yield last_used(path), status.st_size, path


def _is_leftover(path: Path) -> bool:
    """Whether a hidden file is a part, or what is noted of a file that is not there."""
    if not path.name.startswith("."):
        return False
    return not (path.suffix == ".json" and path.with_name(path.name[1:-5]).exists())


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


def contents() -> Table:
    """Return what is in the cache, file by file, the longest unused first.

    Returns
    -------
    Table
        Columns ``kind``, ``file`` (in the folder of its kind), ``bytes``, ``used`` (UTC) and
        ``from``: the address it was fetched from, if it was.
    """
    from astropy.table import Table

    rows = []
    for kind in kinds():
        for path in (cache_folder() / kind).rglob("[!.]*"):
            with suppress(OSError):
                if path.is_file():
                    when = last_used(path)
                    source = (origin(path) or {}).get("from", "")
                    name = path.relative_to(cache_folder() / kind).as_posix()
                    rows.append((when, kind, name, path.stat().st_size, source))
    told = [
        (kind, name, size, f"{datetime.fromtimestamp(when / 1e9, UTC):%Y-%m-%d %H:%M:%S}", source)
        for when, kind, name, size, source in sorted(rows)
    ]
    names, types = ("kind", "file", "bytes", "used", "from"), (str, str, int, str, str)
    return Table(rows=told or None, names=names, dtype=types)


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
