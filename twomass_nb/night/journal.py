"""How a check is carried on after it was stopped, even by kill -9: a line a file, kept at once."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from ..errors import TwomassError, WriteError
from .look import Record

__all__ = ["Journal"]

_HEADER = b'{"twomass_nb": "check journal", "version": 1}\n'
_SYNC_EVERY = 2.0  # seconds: what a crash of the machine itself may lose
# Looked at again, because the next look may go better.
_PASSING = {"unreadable", "failed"}


class Journal:
    """Records of files that were looked into, in a file of JSON lines (or nowhere).

    A last line that is torn, by a kill in the middle of writing it, is dropped.

    Parameters
    ----------
    path : path or None
        Made if it is not there; carried on if it is.

    Raises
    ------
    TwomassError
        If the file is there and is no journal: it is left as it is.
    """

    def __init__(self, path: Path | None) -> None:
        self._records: dict[str, Record] = {}
        self._file: IO[bytes] | None = None
        self._synced = time.monotonic()
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            good = self._read(path) if path.exists() else 0
            self._file = path.open("r+b" if path.exists() else "wb")
            self._file.truncate(good)
            self._file.seek(good)
            if good == 0:
                self._file.write(_HEADER)
                self._file.flush()
        except OSError as error:
            msg = f"{path} cannot be written: {error.strerror or error}; choose another place"
            raise WriteError(msg) from error

    def _read(self, path: Path) -> int:
        """Read the records there are, and return where the last whole line ends."""
        lines = path.read_bytes().splitlines(keepends=True)
        if not lines or _HEADER.startswith(lines[0]):  # nothing yet, or a torn or whole header
            end = len(lines[0]) if lines and lines[0] == _HEADER else 0
        else:
            msg = f"{path} is not the journal of a check: give another name"
            raise TwomassError(msg)
        for line in lines[1:]:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                record = Record.from_dict(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue  # of another version, or damaged: its file is looked at again
            self._records[record.file] = record
        return end

    def known(self, file: str, size: int, mtime_ns: int) -> Record | None:
        """Return the record of a file that has not changed since."""
        record = self._records.get(file)
        if record is None or (record.size, record.mtime_ns) != (size, mtime_ns):
            return None
        return None if _PASSING & {one.code for one in record.findings} else record

    def add(self, record: Record) -> None:
        """Keep a record; it is in the system's hands when this returns."""
        if self._file is None:
            return
        self._file.write(json.dumps(record.as_dict()).encode() + b"\n")
        self._file.flush()
        if time.monotonic() - self._synced > _SYNC_EVERY:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
