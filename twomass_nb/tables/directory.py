"""What a night's .dir file lists; no real one has been seen, so every common listing is tried.

Known is that these are text files that "can be used to verify that all of the data supposed to be
on the tape were in fact read" (seed 000). What is understood here, all of it our guess: ``ls -l``,
``ls -s``, ``ls``, ``du``, ``tar -tv``, ``md5sum``, name and size in either order. A line with the
name of an archive file is a row, and is kept whole beside what was made of it.
"""

from __future__ import annotations

import re
from os import PathLike

import numpy as np
from astropy.table import Column, MaskedColumn, Table

from ..errors import ScanNameError, TableError
from ..scan import FileName
from .files import name_columns
from .opening import read_text

__all__ = ["read_dir"]

_MODE = re.compile(r"[-dlbcps][-rwxsStTl]{9}[.+@]?")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_LIKE_A_NAME = re.compile(r"(?=.*\d).*\.[A-Za-z]")
_WHOLE = re.compile(r"\d{1,15}|\d{1,3}(?:,\d{3})+")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = re.compile(
    rf"\b(?:{_MONTH}\s+\d{{1,2}}\s+(?:\d{{4}}|\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\s+\d{{4}})?)?)"
    r"|\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:\s+[+-]\d{4})?)"
)
_SIMULATED = re.compile(r"\bSIMULATE\s*=\s*T\b", re.IGNORECASE)
# A raw file of fewer bytes is none: its numbers are blocks of a disk.
_LEAST_RAW = 100_000


def read_dir(path: str | PathLike[str]) -> Table:
    """Read a night's list of files.

    Parameters
    ----------
    path : path
        As ``000529s.dir``; may be gzipped.

    Returns
    -------
    `~astropy.table.Table`
        One row a file: date, hemis, scan, band, kind (what its name and that of the list say), file
        (as given), size (bytes), time (text, as given), md5, blocks, line (the whole line). Values
        that a line does not say are masked. A lone number too small for the bytes of raw files is
        taken for disk blocks, of a size that is not said: it is in ``blocks`` and `size` is masked.
        ``meta`` has ``raw`` (the text), ``unknown`` (lines that name no file), ``path`` and
        ``guess``: that the syntax is our guess.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If no line names a file of the archive.
    """
    raw = read_text(path)
    rows: list[tuple[str, str, int, bool, str, str]] = []
    unknown: list[str] = []
    for line in raw.splitlines():
        rows_of_line = _rows(line)
        rows += rows_of_line
        if not rows_of_line and line.strip():
            unknown.append(line)
    if not rows:
        msg = f"{path} is not a night's list of files: no line names a file of the archive"
        raise TableError(msg)
    lines, names, numbers, lone, times, md5s = (list(column) for column in zip(*rows, strict=True))
    table = name_columns(np.array(names))
    _set_night(table, path)
    number, alone = np.array(numbers, np.int64), np.array(lone)
    raws = alone & (np.asarray(table["kind"]) == "raw") & (number >= 0)
    blocks = alone & bool(raws.any() and np.median(number[raws]) < _LEAST_RAW)
    table["file"] = Column(names)
    table["size"] = MaskedColumn(number, mask=(number < 0) | blocks, unit="byte")
    table["time"] = MaskedColumn(times, mask=[not text for text in times])
    table["md5"] = MaskedColumn(md5s, mask=[not text for text in md5s])
    table["blocks"] = MaskedColumn(number, mask=(number < 0) | ~blocks)
    table["line"] = Column(lines)
    guess = "no real .dir file has been seen: what its lines mean is our guess"
    table.meta.update(path=str(path), format="dir", raw=raw, unknown=unknown, guess=guess)
    if _SIMULATED.search(raw):
        table.meta["SIMULATE"] = True
    return table


def _rows(line: str) -> list[tuple[str, str, int, bool, str, str]]:
    """Return a row for each file that a line names: a bare ls may put several into one."""
    words = line.split()
    named = [i for i, word in enumerate(words) if _is_name(word)]
    if "->" in words:  # a link: what it points to is no other file
        named = [i for i in named if i < words.index("->")]
    several = len(named) > 1
    found = []
    for place, i in enumerate(named):
        before = named[place - 1] + 1 if place else 0
        others = words[before:i] if several else words[:i] + words[i + 1 :]
        text = " ".join(others)
        time = _TIME.search(text)
        size, alone = _size(others, text[: time.start()].split() if time else [])
        md5 = next((word for word in others if _MD5.fullmatch(word)), "")
        found.append((line, _bare(words[i]), size, alone, time[0] if time else "", md5.lower()))
    return found


def _bare(word: str) -> str:
    return word.strip("\"'(),;:*").removeprefix("./")


def _is_name(word: str) -> bool:
    if not _LIKE_A_NAME.match(word):  # most words are sizes and dates
        return False
    try:
        FileName.parse(_bare(word))
    except ScanNameError:
        return False
    return True


def _size(words: list[str], before_time: list[str]) -> tuple[int, bool]:
    """Return the number that is the size, -1 if there is none, and whether it stands alone."""
    numbers = [n for w in before_time or words if _WHOLE.fullmatch(n := w.strip("(),;:"))]
    if not numbers:
        return -1, False
    listing = any(_MODE.fullmatch(word) for word in words)
    # the last number before the date, after links, user and group
    return int(numbers[-1].replace(",", "")), not listing and not before_time


def _set_night(table: Table, path: str | PathLike[str]) -> None:
    """Fill in the hemisphere, and the date where a name lacks it, from the list's own name."""
    name = str(path).replace("\\", "/").rsplit("/", 1)[-1]
    said = name_columns(np.array([name]))
    if said["kind"][0] != "directory":
        return
    date, hemis = str(said["date"][0]), str(said["hemis"][0])
    table["date"] = table["date"].filled(date)
    here = np.asarray(table["date"]) == date
    table["hemis"] = MaskedColumn(
        np.where(here & table["hemis"].mask, hemis, table["hemis"].filled("")),
        mask=table["hemis"].mask & ~here,
    )
