"""How processes and threads keep out of each other's way."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import WriteError
from .folder import cache_folder, in_cache

__all__ = ["locked"]

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
