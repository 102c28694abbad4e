"""Which scans are searched: the scan table, what logs add to it, what the raw scan table says."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from astropy.table import MaskedColumn, Table, vstack
from numpy.typing import NDArray

from ..errors import TableError
from .predicted import scans_of_logs

__all__ = ["IDENTITY", "RAW_COLUMNS", "sources", "with_logs", "with_raw_scans"]

#: What makes a scan one scan.
IDENTITY = ("date", "hemis", "scan")
#: What the raw scan table adds to an answer.
RAW_COLUMNS = ("s_type", "frames", "as_cat", "tape_label", "disk_label")


def sources(table: Table) -> NDArray[np.str_]:
    """Return where each row's footprint is from: scn, lgo, atlas or sim."""
    default = "sim" if table.meta.get("SIMULATE") else "scn"
    if "source" not in table.colnames:
        return np.full(len(table), default)
    said = np.ma.filled(np.ma.asarray(table["source"]).astype(str), "")
    return np.where(said == "", default, said)


def with_logs(table: Table, logs: Table | Iterable[Table]) -> Table:
    """Return the table with the logs' scans that it has not, after its own rows."""
    known = set(zip(*(table[name].tolist() for name in IDENTITY), strict=True))
    more = scans_of_logs(logs, known)
    if more is None:
        return table
    table["source"] = sources(table)
    return vstack([table, more], metadata_conflicts="silent")


def with_raw_scans(table: Table, raw: Table) -> Table:
    """Return the table with what the raw scan table says; masked where it lists no such scan.

    Raises
    ------
    TableError
        If `raw` does not identify its scans.
    """
    missing = [name for name in IDENTITY if name not in raw.colnames]
    if missing:
        msg = f"this is not a raw scan table: it lacks {', '.join(missing)}"
        raise TableError(msg)
    place = {key: i for i, key in enumerate(_keys(raw))}
    found = np.array([place.get(key, -1) for key in _keys(table)])
    for name in RAW_COLUMNS:
        if name not in raw.colnames:
            continue
        said = np.ma.asarray(raw[name])
        column = np.ma.array(said[found], mask=np.ma.getmaskarray(said)[found] | (found < 0))
        if name in table.colnames:  # what a log or a header says stands where raw says nothing
            before = np.ma.asarray(table[name])
            column = np.ma.where(np.ma.getmaskarray(column), before, column)
        table[name] = MaskedColumn(column)
    return table


def _keys(table: Table) -> list[tuple[str, str, int]]:
    dates, hemis = (np.asarray(table[name]).astype(str).tolist() for name in IDENTITY[:2])
    return list(zip(dates, hemis, np.asarray(table["scan"]).astype(int).tolist(), strict=True))
