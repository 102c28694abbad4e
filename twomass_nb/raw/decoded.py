"""Frames kept decoded in the cache: their files, whose they are, and when they are trusted.

In ``frames/`` of the cache folder are two kinds of file:

``{name}.frames``
    The frames of one content in one word order, as this machine has them in memory, so that they
    can be mapped; after them a sealed page of JSON: whose they are, and a CRC-32 of each frame,
    which is checked whenever a frame is served.
``{name}.seen``
    That a file, as its status describes it (device, inode, size, times), had a certain content
    when it was last read, and what word order was chosen for it; sealed as well.

Both appear whole or not at all and never change, so that any number of processes may read, write,
drop or be killed at any time: what is missing or broken is decoded again.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from .. import __version__
from ..cache import cache_folder, cache_limit, make_room, mark_used
from ..errors import TwomassError
from ..files import whole_file
from .inflate import digest_of, is_gzip_name
from .layout import FRAME_BYTES, Layout
from .sealed import sealed, unsealed

__all__ = [
    "Identity",
    "Stored",
    "Whose",
    "basis",
    "find",
    "identity",
    "recall",
    "remember",
    "settled",
    "store_behind",
]

_FORMAT = 1  # of both kinds of file; also of how word orders are chosen
_RACY = 2_000_000_000  # ns: a file changed so shortly before it was read may change unnoticed
_ABANDONED = 3600  # s: a part that nobody has written to for so long is a dead process's

#: What the status of a file says of it: device, inode, size, times of change in ns.
Identity = tuple[int, int, int, int, int]

_writing = Lock()


@dataclass(frozen=True)
class Whose:
    """Whose frames are stored: the content they are from, and how it was read.

    Attributes
    ----------
    content : str
        Hash of the raw file.
    kind : {"rds", "rdo"}
    layout : str
    n_frames : int
    truncated : bool
    rubbish : int
        As `twomass_nb.raw.inflate.Content` has them.
    """

    content: str
    kind: str
    layout: str
    n_frames: int
    truncated: bool = False
    rubbish: int = 0

    @property
    def path(self) -> Path:
        """Where frames of this content, read in this way, are."""
        return _file(".frames", [self.content, self.kind, self.layout])


class Stored:
    """Frames in the cache, mapped; each is checked when it is served."""

    def __init__(self, whose: Whose, crcs: list[int], mapped: mmap.mmap) -> None:
        self.whose = whose
        self._crcs, self._map = crcs, mapped
        words = np.frombuffer(mapped, np.uint16, whose.n_frames * FRAME_BYTES // 2)
        self._frames = words.reshape(whose.n_frames, 2, 256, 256)

    def frame(self, i: int) -> NDArray[np.uint16] | None:
        """Return a frame, shape (2, 256, 256); None, and the file is dropped, if it is damaged."""
        # A file that has shrunk must not be touched: the system would end the process.
        if self._map.size() >= self._frames.nbytes:
            frame: NDArray[np.uint16] = self._frames[i]
            if isal_zlib.crc32(frame.data) == self._crcs[i]:
                return frame
        with suppress(OSError):
            self.whose.path.unlink()
        return None

    def frames(self) -> NDArray[np.uint16] | None:
        """Return all frames, shape (n_frames, 2, 256, 256); None if any is damaged."""
        good = all(self.frame(i) is not None for i in range(self.whose.n_frames))
        return self._frames if good else None


def identity(path: Path) -> Identity:
    """Return what tells a file from others and from what it was before."""
    status = path.stat()
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def settled(seen: Identity, start: int) -> bool:
    """Whether a file had been left alone for so long at `start` that any change would show."""
    return start - max(seen[3:]) >= _RACY


def find(content: str, kind: str, layout: Layout) -> Stored | None:
    """Return the stored frames of a content read in a certain way, if they are there."""
    path = Whose(content, kind, str(layout), 0).path
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # ValueError: an empty file
        return None
    page = unsealed(mapped)
    if page is None or page["format"] != [_FORMAT, sys.byteorder]:
        with suppress(OSError):
            path.unlink()  # so that it is written anew
        return None
    mark_used(path)
    return Stored(Whose(**page["whose"]), page["crcs"], mapped)


def recall(path: Path, kind: str) -> tuple[str, tuple[Layout, str] | None] | None:
    """Return what is known of a file that was read before and has not changed since.

    Returns
    -------
    content : str
        Hash of the file.
    chosen : (Layout, str) or None
        The word order chosen for it, and how that was known, if it would be chosen again.
    """
    try:
        now = identity(path)
        record = _record_of(now, kind)
        page = unsealed(record.read_bytes())
        if page is None:
            return None
        if not settled(now, page["read"]):
            # It may have been changed right after it was read, without a difference in its times
            # (git has the same problem with its index): only its content can tell.
            start = time.time_ns()
            if digest_of(path) != page["content"] or identity(path) != now:
                return None
            if settled(now, start):
                _write(record, page | {"read": start})
        mark_used(record)
        chosen = page["chosen"]
        if chosen and chosen["basis"] == basis(path):
            return page["content"], (Layout(chosen["layout"]), chosen["source"])
        return page["content"], None
    except (OSError, TwomassError, KeyError, TypeError):
        return None


def remember(
    seen: Identity, kind: str, read: int, content: str, chosen: tuple[Layout, str, str] | None
) -> None:
    """Note the content of a file, and the order chosen for it.

    Parameters
    ----------
    seen : Identity
        Of the file when it was read.
    kind : {"rds", "rdo"}
    read : int
        When reading it began, ns.
    content : str
        Hash of the file.
    chosen : (Layout, str, str) or None
        The order, how it was known, and the `basis` when it was chosen; None if it was given.
    """
    try:
        record = _record_of(seen, kind)
        page: dict[str, Any] = {"read": read, "content": content, "chosen": None}
        if chosen is not None:
            layout, source, known = chosen
            page["chosen"] = {"layout": str(layout), "source": source, "basis": known}
        elif record.exists() and (old := unsealed(record.read_bytes())):
            page["chosen"] = old["chosen"] if old.get("content") == content else None
        _write(record, page)
    except (OSError, TwomassError):
        pass  # without a cache everything works, only slower


def basis(path: Path) -> str:
    """Return a name for all, besides a file's content, that its word order may be chosen by.

    This software, the orders learnt, the archive's converter, the files beside it that are its.
    """
    stem = (path.with_suffix("") if is_gzip_name(path) else path).stem
    beside = [path.with_name(stem + end) for end in (".rdo", ".rdo.gz", ".par", ".par.gz")]
    learnt = sorted((cache_folder() / "layouts").glob("*"))
    seen: list[Any] = [__version__, os.environ.get("TWOMASS_NB_RDS2RDO")]
    for other in [*beside, *learnt]:
        with suppress(OSError):
            seen.append((str(other), identity(other)))
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def store_behind(whose: Callable[[], Whose | None], frames: NDArray[np.uint16]) -> Thread | None:
    """Store frames while the caller goes on; at once if another scan's are being stored already.

    So never more than one scan is kept in memory for this. The thread is waited for when the
    interpreter ends. A cache that cannot be written is no error: everything works, only slower.

    Parameters
    ----------
    whose : callable
        Says, in that thread, whose frames they are; None if they are nobody's.
    frames : array of uint16, shape (n_frames, 2, 256, 256)
    """
    if frames.nbytes > cache_limit():
        return None

    def work() -> None:
        try:
            _store(whose, frames)
        finally:
            writing.release()

    writing = _writing
    if not writing.acquire(blocking=False):
        _store(whose, frames)
        return None
    thread = Thread(target=work, name="storing frames")
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending
        work()
        return None
    return thread


def _after_fork() -> None:
    """Forget what the parent was writing: a child has none of its threads."""
    global _writing
    _writing = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _store(naming: Callable[[], Whose | None], frames: NDArray[np.uint16]) -> None:
    try:
        whose = naming()
        if whose is None:
            return
        path = whose.path
        for part in path.parent.glob(".*.part"):
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink(missing_ok=True)
        if path.exists():
            return
        make_room(frames.nbytes)
        with whole_file(path) as file:
            crcs = []
            for frame in frames:
                crcs.append(isal_zlib.crc32(frame.data))
                file.write(frame.data)
            page = {"format": [_FORMAT, sys.byteorder], "whose": asdict(whose), "crcs": crcs}
            file.write(sealed(page))
    except (OSError, TwomassError):
        pass


def _record_of(seen: Identity, kind: str) -> Path:
    return _file(".seen", [*seen, kind])


def _file(suffix: str, named: list[Any]) -> Path:
    name = hashlib.sha256(json.dumps([_FORMAT, *named]).encode()).hexdigest()[:40]
    return cache_folder() / "frames" / f"{name}{suffix}"


def _write(path: Path, page: dict[str, Any]) -> None:
    with whole_file(path) as file:
        file.write(sealed(page))
