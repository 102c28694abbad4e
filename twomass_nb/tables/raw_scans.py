"""What the raw scan table says of all 205,071 scans: type, frames, tape, disk; no positions."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from os import PathLike

import numpy as np
from astropy.table import Column, MaskedColumn, Table

from ..errors import TableError, TwomassWarning
from .opening import read_text

__all__ = ["RAW_SCAN_COLUMNS", "read_raw_scans"]

#: Columns in the archive's order (UMass, ".../pixel_data_archive/format_rsc.html"; as_cat and the
#: labels as in seed 000). as_cat: whether the scan is in the All-Sky catalogue, y or n.
RAW_SCAN_COLUMNS = (
    "date", "day_no", "hemis", "scan", "tile", "s_dir", "s_type", "frames", "as_cat",
    "tape_label", "disk_label",
)  # fmt: skip
_WHOLE = {"day_no", "scan", "tile", "frames"}
_COPY = re.compile(r"COPY\s+\S+\s*(?:\((?P<columns>[^)]*)\))?\s*FROM\s+stdin\b.*;", re.IGNORECASE)
_RULE = re.compile(r"\s*-+(?:\+-+)+\s*")


def read_raw_scans(path: str | PathLike[str]) -> Table:
    """Read the raw scan table: a PostgreSQL dump, or what psql prints.

    Parameters
    ----------
    path : path
        A dump with a COPY block, or the text of a query with its header; may be gzipped.

    Returns
    -------
    `~astropy.table.Table`
        The rows as given: date (ISO), day_no, hemis, scan, tile, s_dir, s_type, frames, as_cat,
        tape_label, disk_label. Values that are null, or not of their column's kind (the archive
        warns of some before 1997-06-01), are masked.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is neither form, or lacks date, hemis or scan.

    Warns
    -----
    TwomassWarning
        If rows share date, hemis and scan. They are kept: the archive has some.
    """
    lines = read_text(path).splitlines()
    names, rows = _copy_block(lines) or _psql_text(lines) or ([], [])
    if not rows:
        msg = f"{path} is not a raw scan table: neither a COPY block nor psql's text with a header"
        raise TableError(msg)
    missing = [name for name in ("date", "hemis", "scan") if name not in names]
    if missing:
        msg = f"{path} is not a raw scan table: it lacks {', '.join(missing)}"
        raise TableError(msg)
    wrong = next((i for i, row in enumerate(rows) if len(row) != len(names)), None)
    if wrong is not None:
        msg = f"{path}: row {wrong} has {len(rows[wrong])} values for {len(names)} columns"
        raise TableError(msg)
    table = Table(
        [_column(name, c) for name, c in zip(names, zip(*rows, strict=True), strict=True)]
    )
    table.meta["path"] = str(path)
    _warn_of_duplicates(table)
    return table


def _copy_block(lines: list[str]) -> tuple[list[str], list[list[str]]] | None:
    for i, line in enumerate(lines):
        if match := _COPY.match(line.strip()):
            listed = match["columns"]
            names = [name.strip(' "') for name in listed.split(",")] if listed else None
            end = next((k for k in range(i + 1, len(lines)) if lines[k] == "\\."), len(lines))
            rows = [row.split("\t") for row in lines[i + 1 : end]]
            return names or list(RAW_SCAN_COLUMNS), rows
    return None


def _psql_text(lines: list[str]) -> tuple[list[str], list[list[str]]] | None:
    for i in range(1, len(lines)):
        if _RULE.fullmatch(lines[i]):
            names = [name.strip() for name in lines[i - 1].split("|")]
            rows = [
                [cell.strip() for cell in row.split("|")] for row in lines[i + 1 :] if "|" in row
            ]
            return names, rows
    return None


def _column(name: str, cells: tuple[str, ...]) -> Column:
    texts = ["" if cell == "\\N" else cell.strip() for cell in cells]
    if name in _WHOLE:
        known = [bool(re.fullmatch(r"-?\d{1,9}", text)) for text in texts]
        data = np.array([int(text) if ok else 0 for text, ok in zip(texts, known, strict=True)])
    else:
        known = [bool(text) for text in texts]
        data = np.array(texts, dtype=str)
    if all(known):
        return Column(data, name=name)
    return MaskedColumn(data, name=name, mask=~np.array(known))


def _warn_of_duplicates(table: Table) -> None:
    columns = (table[name].tolist() for name in ("date", "hemis", "scan"))
    twice = [key for key, count in Counter(zip(*columns, strict=True)).items() if count > 1]
    if twice:
        named = ", ".join(" ".join(map(str, key)) for key in twice[:5])
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        message = f"scans listed more than once (all rows kept): {named}{more}"
        warnings.warn(message, TwomassWarning, stacklevel=3)
