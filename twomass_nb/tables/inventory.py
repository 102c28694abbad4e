"""What the archive's file inventories list: every file, its scan, its size, its tape and disk.

Known of them (seed 000): a summary file inventory "in postgres dump format", one for each disk in
its top folder, 1,230,414 files in all, and "the disk label is encoded in a file name disk_XXX".
Their columns are not known: they are told by their names, or else by what is in them, and those
that are neither are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.table import Column, MaskedColumn, Table

from ..errors import ScanNameError, TableError
from ..scan import FileName
from .cells import as_column, guessed, iso_dates, lower, texts, wholes
from .dumps import DumpTable, read_dump
from .files import FILE_COLUMNS, name_columns

__all__ = ["disk_label_of", "inventory_of", "is_inventory", "read_inventory"]

#: Names that columns may have, by what they are called here.
_NAMES = {
    "file": ("file", "filename", "file_name", "fname", "name", "path", "filepath", "pathname"),
    "size": ("size", "bytes", "file_size", "filesize", "fsize", "nbytes", "n_bytes", "length"),
    "date": ("date", "ordate", "obs_date", "obsdate", "night", "xdate"),
    "hemis": ("hemis", "hemisphere", "hem", "hemisp", "site"),
    "scan": ("scan", "scn", "scanno", "scan_no", "scan_number"),
    "band": ("band", "filter"),
    "tape_label": ("tape_label", "tape", "tapelabel", "label"),
    "disk_label": ("disk_label", "disk", "disklabel"),
}
_CALLED = {name: ours for ours, names in _NAMES.items() for name in names}
_DISK_FILE = re.compile(r"disk_?(?P<label>[ns]\d{2})(?!\d)", re.IGNORECASE)
_LOOKED_AT = 200  # cells that tell what a column holds


def read_inventory(path: str | PathLike[str]) -> Table:
    """Read a file inventory: a PostgreSQL dump, or what psql prints.

    Parameters
    ----------
    path : path
        Of the whole archive, or of one disk; may be gzipped, may hold other tables as well.

    Returns
    -------
    `~astropy.table.Table`
        One row a file: date (ISO), hemis, scan, band, kind (of its columns, or else as its name
        says), file, size (bytes), tape_label, disk_label (of its column, or else of a name as
        ``disk_s04``: the inventory's own or of a file beside it), those that are known; then all
        other columns as given. ``meta`` has ``path``, ``unknown`` (lines that are no rows) and
        ``recognized`` (columns that were told by their content: our name to the dump's).

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If no table in it has a column with names of the archive's files.

    Warns
    -----
    TwomassWarning
        If the file breaks off.
    """
    found, simulated = read_dump(path)
    inventories = [table for table in found if is_inventory(table)]
    if not inventories:
        msg = f"{path} is not a file inventory: no table in it names files of the archive"
        raise TableError(msg)
    table = inventory_of(max(inventories, key=len))
    if "disk_label" not in table.colnames and (label := disk_label_of(path)):
        table["disk_label"] = np.full(len(table), label)
        _fill_hemisphere(table)
    table.meta.update(path=str(path), **({"SIMULATE": True} if simulated else {}))
    return table


def is_inventory(dump: DumpTable) -> bool:
    """Whether a column of a dump's table holds names of the archive's files."""
    return len(dump) > 0 and "file" in _places(dump)


def disk_label_of(path: str | PathLike[str]) -> str | None:
    """Return the label that a file's name says, as ``disk_s04``, or one beside it; else None."""
    path = Path(path)
    if match := _DISK_FILE.search(path.name):
        return match["label"].lower()
    matches = (_DISK_FILE.match(beside.name) for beside in path.parent.glob("disk*"))
    labels = {match["label"].lower() for match in matches if match}
    return labels.pop() if len(labels) == 1 else None


def inventory_of(dump: DumpTable) -> Table:
    """Return a table of a dump as an inventory."""
    places = _places(dump)
    names = dump.columns or [f"column_{i + 1}" for i in range(dump.width)]
    file, null = texts(*dump.cells(places["file"]))
    said = name_columns(file)
    table = Table()
    for name in FILE_COLUMNS:
        column = _given(dump, places[name], name) if name in places else said[name]
        if name in places and getattr(column, "mask", np.False_).any():
            here = np.ma.getmaskarray(column) & ~said[name].mask
            column = MaskedColumn(np.ma.where(here, said[name], column))
        table[name] = column
    table["file"] = as_column(file, null)
    for name in ("size", "tape_label", "disk_label"):
        if name in places:
            table[name] = _given(dump, places[name], name)
    _fill_hemisphere(table)
    for i, name in enumerate(names):
        if i not in places.values():
            table[name if name not in table.colnames else f"{name}_given"] = guessed(*dump.cells(i))
    table.meta["unknown"] = dump.unknown
    by_name = {_CALLED.get(name) for name in names}
    table.meta["recognized"] = {k: names[i] for k, i in places.items() if k not in by_name}
    return table


def _fill_hemisphere(table: Table) -> None:
    """Take it from the labels where nothing else says it: tapes and disks are of one site."""
    hemis = np.ma.masked_array(table["hemis"])
    for label, at in (("disk_label", 0), ("tape_label", 3)):
        if label in table.colnames:
            text = np.ma.filled(np.ma.masked_array(table[label]), "").astype(f"U{at + 1}")
            letter = np.char.lower(text.view("U1").reshape(len(table), at + 1)[:, at])
            told = np.ma.getmaskarray(hemis) & np.isin(letter, ["n", "s"])
            hemis = np.ma.where(told, letter, hemis)
    table["hemis"] = as_column(hemis.data, np.ma.getmaskarray(hemis))


def _given(dump: DumpTable, i: int, name: str) -> Column:
    cells, null = dump.cells(i)
    if name in ("scan", "size"):
        return as_column(*wholes(cells, null), unit="byte" if name == "size" else None)
    if name == "date":
        return as_column(*iso_dates(cells, null))
    text, null = texts(cells, null)
    return as_column(text if name == "disk_label" else lower(text), null)


def _places(dump: DumpTable) -> dict[str, int]:
    """Return which column is what: by name, and where names are missing or strange by content."""
    places: dict[str, int] = {}
    for i, name in enumerate(dump.columns or []):
        if (ours := _CALLED.get(name)) and ours not in places:
            places[ours] = i
    samples = [_sample(dump, i) for i in range(dump.width)]
    free = [i for i in range(dump.width) if i not in places.values() and samples[i]]
    if "file" in places and not _names_files(samples[places["file"]]):
        del places["file"]  # a "name" of something else
    for name, test in _BY_CONTENT.items():
        for i in free:
            if name not in places and test(samples[i]):
                places[name] = i
    free = [i for i in free if i not in places.values()]
    if "file" in places and "size" not in places:
        sizes = [i for i in free if _are_sizes(samples[i])]
        if len(sizes) == 1:
            places["size"] = sizes[0]
    if "file" in places and "hemis" not in places and dump.columns is None:
        letters = [i for i in free if set(samples[i]) <= {"n", "s"}]
        if len(letters) == 1:  # else one is the direction of the scan
            places["hemis"] = letters[0]
    return places


def _sample(dump: DumpTable, i: int) -> list[str]:
    """Return some of a column's cells that are not empty, from its whole length."""
    step = max(1, len(dump) // _LOOKED_AT)
    text, null = texts(*dump.cells(i, step))
    return [str(cell) for cell in text[~null]]


def _names_files(cells: list[str]) -> bool:
    def known(cell: str) -> bool:
        try:
            FileName.parse(cell)
        except ScanNameError:
            return False
        return True

    # names that nobody knows of, such as of notes, may be among them
    return bool(cells) and sum(map(known, cells)) > len(cells) / 2


def _are_sizes(cells: list[str]) -> bool:
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,15}", cell)]
    # a raw file has a million bytes; tiles and day numbers have six digits at most
    return len(numbers) == len(cells) and max(numbers) > 999_999


def _all(pattern: str) -> Callable[[list[str]], bool]:
    form = re.compile(pattern, re.IGNORECASE)
    return lambda cells: all(form.fullmatch(cell) for cell in cells)


#: What tells a column by what is in it.
_BY_CONTENT: dict[str, Callable[[list[str]], bool]] = {
    "file": _names_files,
    "date": _all(r"\d{4}-\d{2}-\d{2}.*"),
    "tape_label": _all(r"raw[ns]\d+[ns]?"),
    "disk_label": _all(r"[ns]\d{2}"),
}
