"""Where nights lie: which folders hold files of the archive, and whose night each file is of.

Disks hold a folder a night (``000529s``); a tape, read, is one flat folder with its label
(``raws0136``) that holds several nights.
"""

from __future__ import annotations

import datetime as dt
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import NotFoundError, ScanNameError
from ..raw.inflate import frames_promised
from ..raw.layout import FRAME_BYTES
from ..scan import FileName, ScanId, tape_hemisphere
from .finding import Finding, finding

__all__ = [
    "Entry",
    "Folder",
    "Holding",
    "entry_of",
    "holdings_of",
    "kind_of",
    "list_folder",
    "walk",
]

_NIGHT = re.compile(r"\d{6}[ns]", re.IGNORECASE)
_COADDS = re.compile(r"s\d{3}")


@dataclass(frozen=True)
class Entry:
    """One file of the archive in a folder, by its name and status.

    Attributes
    ----------
    path : Path
    kind : {"raw", "par", "log", "directory"}
    date : datetime.date
    hemis : {"n", "s"} or None
        Said by the names of logs and directories only.
    scan : int or None
    band : {"j", "h", "k"} or None
    size, mtime_ns : int
    regular : bool
        Whether it is a regular file, or a link to one.
    """

    path: Path
    kind: str
    date: dt.date
    hemis: str | None
    scan: int | None
    band: str | None
    size: int
    mtime_ns: int
    regular: bool = True

    @property
    def stem(self) -> str:
        """As ``"j1186063"``."""
        return self.path.name.split(".")[0].lower()

    def frames_hint(self) -> int | None:
        """Return the number of frames that the file's size, or the end of its gzip, speaks of.

        None if it is no whole number: the file is cut, padded or no raw file. A hint only,
        because the four bytes at the end of a gzip file can be anything's.
        """
        if not self.regular:  # to open a pipe is to wait for its other end
            return None
        if self.path.name.lower().endswith(".gz"):
            with suppress(OSError):
                return frames_promised(self.path) or None
            return None
        frames, left = divmod(self.size, FRAME_BYTES)
        return frames if frames and not left else None


@dataclass
class Holding:
    """The files of one night in one folder.

    Attributes
    ----------
    folder : Path
    date : datetime.date
    hemis : {"n", "s"} or None
    files : list of Entry
    misplaced : list of Entry
        Files whose name is of another night than the folder's.
    evidence : dict
        Hemisphere to the names that say so.
    """

    folder: Path
    date: dt.date
    hemis: str | None
    files: list[Entry]
    misplaced: list[Entry] = field(default_factory=list)
    evidence: dict[str, list[str]] = field(default_factory=dict)

    @property
    def night(self) -> str:
        """As ``"000529s"``, with ``?`` for a hemisphere that nothing says."""
        return f"{self.date:%y%m%d}{self.hemis or '?'}"

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the files of one kind."""
        return [entry for entry in self.files if entry.kind == kind]


@dataclass
class Folder:
    """What a folder holds: files of the archive, other files, and folders below."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    below: list[Path] = field(default_factory=list)


def list_folder(path: Path) -> Folder:
    """List a folder; no file of it is opened.

    Raises
    ------
    NotFoundError
        If there is no such folder, or it cannot be listed.
    """
    listed = Folder(path)
    try:
        paths = sorted(path.iterdir())
    except OSError as error:
        msg = f"{path} cannot be listed ({error.strerror or error}): name a folder you may read"
        raise NotFoundError(msg) from None
    for one in paths:
        entry = entry_of(one)
        if entry is not None:
            listed.entries.append(entry)
        elif one.is_dir():
            listed.below.append(one)
        else:
            listed.others.append(one)
    return listed


def kind_of(name: str) -> str | None:
    """Return what a file's name says it is, or None if it is neither raw nor a companion."""
    try:
        kind = FileName.parse(name).kind
    except ScanNameError:
        return None
    return kind if kind in ("raw", "par", "log", "directory") else None


def entry_of(path: Path) -> Entry | None:
    """Return what a file is by its name, or None if that is not a raw file's or its companion's."""
    try:
        # A stem has no hemisphere. Any will do: only its date and number are used.
        name = FileName.parse(path.name, hemis="s")
    except ScanNameError:
        return None
    if name.kind in ("log", "directory"):
        night = ScanId.parse(f"{path.name[:7]}001")
        date, hemis, scan = night.date, night.hemis, None
    elif name.kind in ("raw", "par") and name.scan_id is not None:
        date, hemis, scan = name.scan_id.date, None, name.scan_id.scan
    else:
        return None
    try:
        status = path.stat()
    except OSError:  # a link to nothing, or to itself
        return Entry(path, name.kind, date, hemis, scan, name.band, 0, 0, regular=False)
    return Entry(
        path, name.kind, date, hemis, scan, name.band, status.st_size, status.st_mtime_ns,
        stat.S_ISREG(status.st_mode),
    )  # fmt: skip


def said_by_folder(path: Path) -> tuple[dt.date | None, str | None]:
    """Return the date and hemisphere that a folder's name says: a night's, or a tape's label."""
    name = path.absolute().name
    with suppress(ScanNameError):
        if _NIGHT.fullmatch(name):
            night = ScanId.parse(f"{name}001")
            return night.date, night.hemis
    return None, tape_hemisphere(name)


def holdings_of(folder: Folder) -> list[Holding]:
    """Part the files of a folder by night, and note who says which hemisphere."""
    date, hemis = said_by_folder(folder.path)
    dates = [date] if date else sorted({entry.date for entry in folder.entries})
    held = []
    for day in dates:
        files = [entry for entry in folder.entries if entry.date == day]
        evidence: dict[str, list[str]] = {}
        if hemis:
            evidence[hemis] = [f"the folder's name {folder.path.absolute().name}"]
        for entry in files:
            if entry.hemis:
                evidence.setdefault(entry.hemis, []).append(entry.path.name)
        misplaced = [entry for entry in folder.entries if date and entry.date != day]
        first = hemis or next(iter(evidence), None)
        held.append(Holding(folder.path, day, first, files, misplaced, evidence))
    return held


def walk(top: Path) -> Iterator[tuple[Folder | None, list[Finding]]]:
    """List a folder and all below it, each once, however links lead in circles.

    Folders of coadds (``s063``) are not entered. One that cannot be listed is a finding.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            folder = list_folder(path)
        except (OSError, NotFoundError) as error:
            if path == top:
                raise
            name = path.relative_to(top).as_posix()
            yield None, [finding("folder-unreadable", name, str(error))]
            continue
        waiting += [p for p in reversed(folder.below) if not _COADDS.fullmatch(p.name)]
        yield folder, []
