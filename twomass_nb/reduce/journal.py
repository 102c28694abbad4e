"""How a reduction is carried on after it was stopped: a line for each piece of work done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from ..errors import ExistsError, TwomassError, WriteError
from .places import JOURNAL, LOCK
from .tasks import Name, Record

__all__ = ["Journal", "kept_in"]

#: What fails with a piece of the scan and band, though no run may have asked for it.
_STANDS_ON = {"frames": "sky", "image": "positions", "compare": "positions"}
_HEADER = b'{"twomass_nb": "reduce journal", "version": 1}\n'


class Journal:
    """Records of work done, in a file of JSON lines; the last one of a piece of work counts.

    A failure stands beside the record of what was made before: that stays, and is known again
    when what it was made from is there again.

    A line torn by a kill in the middle of writing it is dropped.

    Parameters
    ----------
    folder : path
        Of the night.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: dict[Name, Record] = {}
        self.failures: dict[Name, Record] = {}
        path = folder / JOURNAL
        good = self._read(path) if path.exists() else 0
        self._file: IO[bytes] = path.open("r+b" if path.exists() else "wb")
        self._file.truncate(good)
        self._file.seek(good)
        if good == 0:
            self._file.write(_HEADER)
            self._file.flush()

    def _read(self, path: Path) -> int:
        """Read the records there are, and return where the last whole line ends."""
        lines = path.read_bytes().splitlines(keepends=True)
        if not lines or lines[0] != _HEADER:
            if lines and not _HEADER.startswith(lines[0]):
                msg = f"{path} is not the journal of a reduction: choose another folder"
                raise TwomassError(msg)
            return 0
        end = len(_HEADER)
        for line in lines[1:]:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                record = Record.from_dict(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue  # of another version, or damaged: it is made again
            self._note(record)
        return end

    def _note(self, record: Record) -> None:
        name = record.task
        if record.error:
            self.failures[name] = record
            return
        self.failures.pop(name, None)
        self.records[name] = record
        if not record.key:
            del self.records[name]  # see `forget`

    def known(self, task: Name, key: str) -> Record | None:
        """Return the record of a piece of work that need not be done again."""
        record = self.records.get(task)
        if record is None or record.key != key or not record.is_whole(self.folder):
            return None
        return record

    def add(self, record: Record) -> None:
        """Keep a record; it is in the system's hands when this returns."""
        self._note(record)
        try:
            self._file.write(json.dumps(record.as_dict()).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise _refused(self.folder / JOURNAL, error) from error

    def forget(self, task: Name) -> None:
        """Remove the products of a piece of work, and take it for one that never was."""
        if task in self.records:
            for path in self.records[task].products:
                (self.folder / path).unlink(missing_ok=True)
        self.add(Record(task, ""))

    def account(self) -> dict[Name, Record]:
        """Return what there is of each piece: what was made, or why not; of earlier ones both."""
        found = {**self.records, **self.failures}
        for name, record in self.records.items():
            base = Name(_STANDS_ON.get(name.kind, ""), name.scan, name.band)
            if name in self.failures:
                why = self.failures[name].error
            elif base in self.failures:
                why = f"not made, for want of {base}"
            else:
                continue
            if record.is_whole(self.folder):
                found[name] = replace(record, error=why, stale=True)
            else:
                found[name] = Record(name, "", error=why)
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def kept_in(folder: Path) -> Iterator[Journal]:
    """Open a night's folder for one reduction at a time, and its journal.

    What a process that was killed left half-written is swept away, now and at the end.

    Raises
    ------
    ExistsError
        If the folder holds something else.
    TwomassError
        If another process reduces into it.
    WriteError
        If it cannot be written.
    """
    from filelock import FileLock, Timeout

    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / JOURNAL).exists() and _is_taken(folder):
                msg = f"{folder} holds files that are no reduction's: choose another folder"
                raise ExistsError(msg)
            stack.enter_context(FileLock(folder / LOCK).acquire(timeout=0))
            stack.callback(_sweep, folder)
            _sweep(folder)
            journal = Journal(folder)
            stack.callback(journal.close)
        except Timeout:
            msg = f"another process reduces into {folder}: wait for it, or choose another folder"
            raise TwomassError(msg) from None
        except OSError as error:
            if isinstance(error, TwomassError):
                raise
            raise _refused(folder, error) from error
        yield journal


def _refused(path: Path, error: OSError) -> WriteError:
    msg = f"{path} cannot be written: {error.strerror or error}; choose another folder"
    return WriteError(msg)


def _is_taken(folder: Path) -> bool:
    return any(path.name != LOCK for path in folder.iterdir())


def _sweep(folder: Path) -> None:
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)
