"""How whole columns of text cells become typed columns: numbers, angles, dates, nulls.

A column is an array of bytes (dtype S) and a mask of the cells that are null. Nothing here walks
through cells one by one unless they are odd: the archive's inventory has 1.2 million rows.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from ..errors import ScanNameError, TwomassWarning
from ..scan import ScanId

__all__ = [
    "angles", "as_column", "guessed", "iso_dates", "lower", "reals", "texts",
    "warn_of_duplicates", "wholes",
]  # fmt: skip

Cells = NDArray[np.bytes_]
Mask = NDArray[np.bool_]
# Sexagesimal or decimal, as in the logs.
_SEXAGESIMAL = re.compile(r"([+-]?)(\d{1,3}):(\d{1,2}):(\d{1,2}(?:\.\d*)?)")
_NUMERIC = b"0123456789+-.eE\0"
_YYMMDD = re.compile(r"\d{6}")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T].*)?")


def as_column(data: NDArray[Any], null: Mask, unit: str | None = None) -> Column:
    """Return a column, masked if any cell is null."""
    if null.any():
        return MaskedColumn(data, mask=null, unit=unit)
    return Column(data, unit=unit)


def texts(cells: Cells, null: Mask) -> tuple[NDArray[np.str_], Mask]:
    """Return stripped text; null where a cell is empty."""
    cells = _stripped(cells, null)
    if cells.dtype.itemsize and (_bytes(cells) > 127).any():
        try:
            text = np.char.decode(cells, "utf-8")
        except UnicodeDecodeError:
            text = np.char.decode(cells, "latin-1")
    else:
        text = cells.astype(str)
    return text, np.asarray(null | (text == ""))


def lower(text: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return text in lower case; numpy's own way is slow, and most text here is so already."""
    codes = np.ascontiguousarray(text).view(np.uint32)
    return text if text.size and ((codes < 65) | ((codes > 90) & (codes < 128))).all() else (
        np.char.lower(text)
    )  # fmt: skip


def wholes(cells: Cells, null: Mask) -> tuple[NDArray[np.int64], Mask]:
    """Return whole numbers of up to 18 digits; null where a cell is no such number."""
    cells = np.char.strip(cells)
    digits = np.char.lstrip(cells, b"-")
    length = np.char.str_len(digits)
    ok = ~null & np.char.isdigit(digits) & (length <= 18)
    ok &= np.char.str_len(cells) - length <= 1
    return np.where(ok, cells, b"0").astype(np.int64), ~ok


def reals(cells: Cells, null: Mask) -> tuple[NDArray[np.float64], Mask]:
    """Return numbers; null where a cell is not a finite one."""
    cells = _stripped(cells, null)
    cells = np.where(cells == b"", b"nan", cells).astype(np.bytes_)
    try:
        values = cells.astype(float)
    except ValueError:
        values = np.array([_number(cell) for cell in cells.tolist()])
    bad = ~np.isfinite(values)
    return np.where(bad, 0.0, values), bad


def _number(cell: bytes) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def angles(cells: Cells, null: Mask, low: float, high: float) -> tuple[NDArray[np.float64], Mask]:
    """Return ``dd:mm:ss.s`` or decimals as numbers of their first part; null outside the limits."""
    text, null = texts(cells, null)
    if (np.char.find(text, ":") >= 0).any():
        unique, place = np.unique(text, return_inverse=True)
        values = np.array([_sexagesimal(one) for one in unique.tolist()])[place]
        bad = null | ~np.isfinite(values)
    else:
        values, bad = reals(cells, null)
    with np.errstate(invalid="ignore"):
        bad = bad | ~((values >= low) & (values <= high))
    return np.where(bad, 0.0, values), bad


def _sexagesimal(text: str) -> float:
    match = _SEXAGESIMAL.fullmatch(text)
    if match is None:
        return np.nan
    minutes, seconds = int(match[3]), float(match[4])
    if minutes >= 60 or seconds >= 60:
        return np.nan
    value = int(match[2]) + minutes / 60 + seconds / 3600
    return -value if match[1] == "-" else value


def iso_dates(cells: Cells, null: Mask) -> tuple[NDArray[np.str_], Mask]:
    """Return dates as 2000-05-29, also those written 000529; what is no date stays as it is."""
    text, null = texts(cells, null)
    unique, place = np.unique(text, return_inverse=True)
    made = np.array([_iso(one) for one in unique.tolist()], dtype=str)
    return made[place], null


def _iso(text: str) -> str:
    if match := _ISO.fullmatch(text):
        return match[1]
    if _YYMMDD.fullmatch(text):
        try:
            return ScanId.parse(f"{text}n001").date.isoformat()
        except ScanNameError:
            return text
    return text


def guessed(cells: Cells, null: Mask) -> Column:
    """Return a column of an unknown kind: whole numbers, numbers or text, as all its cells are.

    Digits with a zero in front are a name (tape 0136, date 000529) and stay text.
    """
    stripped = _stripped(cells, null)
    said = stripped[stripped != b""]
    zero = np.char.startswith(said, b"0") & (np.char.str_len(said) > 1)
    numeric = np.isin(np.unique(_bytes(said)), np.frombuffer(_NUMERIC, np.uint8)).all()
    if said.size and numeric and not (zero & ~np.char.startswith(said, b"0.")).any():
        for read in (wholes, reals):
            values, bad = read(stripped, null)
            if not (bad & (stripped != b"")).any():
                return as_column(values, bad)
    return as_column(*texts(cells, null))


def warn_of_duplicates(table: Table) -> None:
    """Warn of rows that share date, hemis and scan: the archive has some, and all are kept."""
    code = np.zeros(len(table), np.int64)
    for name in ("date", "hemis", "scan"):
        unique, place = np.unique(np.ma.filled(np.ma.asarray(table[name])), return_inverse=True)
        code = code * len(unique) + place
    _, first, count = np.unique(code, return_index=True, return_counts=True)
    rows = np.sort(first[count > 1])
    if rows.size:
        named = ", ".join(
            " ".join(str(table[name][i]) for name in ("date", "hemis", "scan")) for i in rows[:5]
        )
        more = f" and {rows.size - 5} more" if rows.size > 5 else ""
        message = f"scans listed more than once (all rows kept): {named}{more}"
        warnings.warn(message, TwomassWarning, stacklevel=4)


def _stripped(cells: Cells, null: Mask) -> Cells:
    """Return cells without blanks around them, empty where they are null."""
    return np.char.strip(np.where(null, b"", cells)).astype(np.bytes_)


def _bytes(cells: Cells) -> NDArray[np.uint8]:
    return np.ascontiguousarray(cells).view(np.uint8)
