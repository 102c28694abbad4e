"""Which paths under a root may be those of a scan's files, and what the system says of a path.

A root is the top of a disk, a folder of disks or tapes, a night, a tape, or holds the files itself.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from ..scan import ScanId, tape_hemisphere
from .labels import Looked

__all__ = ["first_file", "folders_of", "mode_of", "refusal_of"]

_NIGHT = re.compile(r"\d{6}[ns]")
_DISK = re.compile(r"([ns])\d{2}")
_PATIENCE = 10.0  # seconds that a root may take to answer at all


def refusal_of(root: Path) -> str:
    """Return why a root cannot be looked into; a mount that hangs is waited for, but not long."""
    said: list[str] = []

    def ask() -> None:
        try:
            mode = mode_of(root)
            is_folder = mode is not None and stat.S_ISDIR(mode)
            said.append("" if is_folder else "no such folder" if mode is None else "not a folder")
        except OSError as error:
            said.append(error.strerror or str(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    return said[0] if said else f"does not answer within {_PATIENCE:g} s"


def folders_of(root: Path, scan_id: ScanId, outcomes: list[Looked]) -> Iterator[tuple[Path, str]]:
    """Yield the folders under a root that may hold a scan's files: disks, then tapes, then itself.

    One folder is listed, the root; whatever else is yielded need not exist.
    """
    name = root.name.lower()
    if _NIGHT.fullmatch(name) or tape_hemisphere(name):
        if name == scan_id.night:
            yield root, "disk"
        elif tape_hemisphere(name) == scan_id.hemis:
            yield root, "tape"
        return
    yield from _night_in(root, scan_id)
    tapes = []
    try:
        with os.scandir(root) as listed:
            below = sorted(entry.name for entry in listed if _may_be_folder(entry))
    except OSError as error:
        outcomes.append(Looked(str(root), error.strerror or str(error)))
        below = []
    for child in below:
        lower = child.lower()
        disk = _DISK.fullmatch(lower)
        if hemis := tape_hemisphere(lower):
            tapes += [root / child] if hemis == scan_id.hemis else []
        elif not _NIGHT.fullmatch(lower) and (disk is None or disk[1] == scan_id.hemis):
            yield from _night_in(root / child, scan_id)
    yield from ((tape, "tape") for tape in tapes)
    yield root, "folder"


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return True  # what is wrong with it is said when it is looked into


def _night_in(folder: Path, scan_id: ScanId) -> Iterator[tuple[Path, str]]:
    for name in (scan_id.night, scan_id.night.upper()):
        yield folder / name, "disk"


def first_file(folder: Path, stem: str, suffixes: tuple[str, ...]) -> Path | None:
    """Return the first file there is, in lower case or, as some file systems have it, in upper."""
    names = [stem + suffix for suffix in suffixes]
    for name in [*names, *(name.upper() for name in names)]:
        mode = mode_of(folder / name)
        if mode is not None and stat.S_ISREG(mode):
            return folder / name
    return None


def mode_of(path: Path) -> int | None:
    """Return what a path is, None if it is not there; unlike `Path.is_file`, raise if refused."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
