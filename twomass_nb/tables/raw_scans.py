"""What the raw scan table says of all 205,071 scans: type, frames, tape, disk; no positions."""

from __future__ import annotations

from os import PathLike

from astropy.table import Table

from ..errors import TableError
from .cells import as_column, guessed, iso_dates, texts, warn_of_duplicates, wholes
from .dumps import DumpTable, read_dump

__all__ = ["RAW_SCAN_COLUMNS", "raw_scans_of", "read_raw_scans"]

#: Columns in the archive's order (UMass, ".../pixel_data_archive/format_rsc.html"; as_cat and the
#: labels as in seed 000). as_cat: whether the scan is in the All-Sky catalogue, y or n.
RAW_SCAN_COLUMNS = (
    "date", "day_no", "hemis", "scan", "tile", "s_dir", "s_type", "frames", "as_cat",
    "tape_label", "disk_label",
)  # fmt: skip
_WHOLE = {"day_no", "scan", "tile", "frames"}


def read_raw_scans(path: str | PathLike[str]) -> Table:
    """Read the raw scan table: a PostgreSQL dump, or what psql prints.

    Parameters
    ----------
    path : path
        A dump with COPY blocks or INSERTs, of this table alone or of several, or the text of a
        query with its header; may be gzipped.

    Returns
    -------
    `~astropy.table.Table`
        The rows as given: date (ISO), day_no, hemis, scan, tile, s_dir, s_type, frames, as_cat,
        tape_label, disk_label. Values that are null, or not of their column's kind (the archive
        warns of some before 1997-06-01), are masked. ``meta`` has ``path``, ``unknown`` (lines
        that are no rows) and ``odd`` (by column, texts that should be numbers and are masked).

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is neither form, or lacks date, hemis or scan.

    Warns
    -----
    TwomassWarning
        If rows share date, hemis and scan (they are kept: the archive has some), or the file breaks
        off.
    """
    found, simulated = read_dump(path)
    if not found:
        msg = f"{path} is not a raw scan table: neither a COPY block nor psql's text with a header"
        raise TableError(msg)
    table = raw_scans_of(max(found, key=_likeness), str(path))
    table.meta["path"] = str(path)
    if simulated:
        table.meta["SIMULATE"] = True
    warn_of_duplicates(table)
    return table


def _likeness(table: DumpTable) -> int:
    """How many columns of the raw scan table a table has; its name decides between equals."""
    names = table.columns or (RAW_SCAN_COLUMNS if table.width == len(RAW_SCAN_COLUMNS) else ())
    return 2 * len(set(names) & set(RAW_SCAN_COLUMNS)) + ("raw" in table.name)


def raw_scans_of(dump: DumpTable, path: str) -> Table:
    """Return a table of a dump as the raw scan table.

    Raises
    ------
    TableError
        If it lacks what identifies a scan.
    """
    names = dump.columns or list(RAW_SCAN_COLUMNS)
    missing = [name for name in ("date", "hemis", "scan") if name not in names]
    if missing:
        msg = f"{path} is not a raw scan table: it lacks {', '.join(missing)}"
        raise TableError(msg)
    if dump.width != len(names):
        msg = f"{path}: row 0 has {dump.width} values for {len(names)} columns"
        raise TableError(msg)
    table = Table()
    odd: dict[str, list[str]] = {}
    for i, name in enumerate(names):
        cells, null = dump.cells(i)
        if name in _WHOLE:
            values, bad = wholes(cells, null)
            lost = bad & ~texts(cells, null)[1]
            odd |= {name: texts(cells, null)[0][lost].tolist()} if lost.any() else {}
            table[name] = as_column(values, bad)
        elif name == "date":
            table[name] = as_column(*iso_dates(cells, null))
        elif name in RAW_SCAN_COLUMNS:
            table[name] = as_column(*texts(cells, null))
        else:
            table[name] = guessed(cells, null)
    table.meta.update(unknown=dump.unknown, odd=odd)
    return table
