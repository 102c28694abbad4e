"""The scans a server has open: a few, each opened once, and again when its file has changed."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NotFoundError, TwomassWarning
from ..raw import open_scan

if TYPE_CHECKING:
    from ..raw import RawScan

__all__ = ["READS", "OpenScans"]

READS = ("r1", "r2", "r2-r1")


class OpenScans:
    """Open scans by path, the least recently used closed first.

    Thirty pupils look at one file: it is opened by the first, the others wait for that.

    Parameters
    ----------
    limit : int, optional
        How many are kept. A scan takes up to 72 MB.
    """

    def __init__(self, limit: int = 4) -> None:
        self._limit = limit
        self._scans: OrderedDict[tuple[Any, ...], tuple[RawScan, list[str]]] = OrderedDict()
        self._opening: dict[Path, Lock] = {}
        self._lock = Lock()

    def get(self, path: Path) -> tuple[RawScan, list[str]]:
        """Return a scan and the warnings that came with opening it.

        Raises
        ------
        TwomassError
            As `open_scan` does.
        """
        with self._lock:
            opening = self._opening.setdefault(path, Lock())
        with opening:
            key = _identity(path)
            with self._lock:
                if key in self._scans:
                    self._scans.move_to_end(key)
                    return self._scans[key]
            opened = _open(path)
            with self._lock:
                self._scans[key] = opened
                while len(self._scans) > self._limit:
                    (old, *_), _ = self._scans.popitem(last=False)
                    self._opening.pop(old, None)
            return opened

    def describe(self, path: Path) -> dict[str, Any]:
        """Return what a viewer needs to know of a scan before it shows a frame."""
        scan, told = self.get(path)
        return {
            "name": scan.path.name,
            "scan": str(scan.scan_id) if scan.scan_id else None,
            "band": scan.band,
            "frames": scan.n_frames,
            "reads": READS,
            "layout": f"{scan.layout} ({scan.layout_source})",
            "truncated": scan.truncated,
            "simulated": scan.simulated,
            "warnings": told,
        }

    def pixels(self, path: Path, frame: int, read: str) -> NDArray[Any]:
        """Return one read of one frame, shape (256, 256), little-endian: uint16, r2-r1 int32.

        Raises
        ------
        NotFoundError
            If there is no such frame or read.
        """
        scan, _ = self.get(path)
        if read not in READS:
            msg = f"there is no read {read!r}: use {', '.join(READS)}"
            raise NotFoundError(msg)
        if read == "r2-r1":
            return scan.difference(frame).astype("<i4")
        return np.ascontiguousarray(scan.frame(frame)[READS.index(read)], "<u2")


def _identity(path: Path) -> tuple[Any, ...]:
    try:
        status = path.stat()
    except OSError:
        return path, None  # opening it says what is wrong
    return path, status.st_ino, status.st_size, status.st_mtime_ns


def _open(path: Path) -> tuple[RawScan, list[str]]:
    # Warnings are for the person at the viewer. catch_warnings is not safe among threads, but all
    # that can go wrong is that a warning is shown in the server's log instead.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TwomassWarning)
        scan = open_scan(path)
        _ = scan.n_frames
    told = [str(w.message) for w in caught if issubclass(w.category, TwomassWarning)]
    return scan, told
