"""Which scans are searched: the scan table, what logs and images add, what raw_scans says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, Table, vstack
from numpy.typing import NDArray

from ..errors import TableError
from ..tables.scan_table import as_scan_table, is_simulated, values
from .predicted import ATLAS_UNCERTAINTY, scans_of_logs

__all__ = [
    "IDENTITY", "RAW_COLUMNS", "UNCERTAINTY", "WANDER", "keys", "sources", "with_images",
    "with_logs", "with_raw_scans", "with_uncertainty",
]  # fmt: skip

#: What makes a scan one scan.
IDENTITY = ("date", "hemis", "scan")
#: What the raw scan table adds to an answer.
RAW_COLUMNS = ("s_type", "frames", "as_cat", "tape_label", "disk_label")
#: How far a footprint may be off, along the scan and across, arcsec; where some are predicted.
UNCERTAINTY = ("in_scan_error", "cross_scan_error")
#: The true edge of a scan typically wanders so far about its corners' great circles, arcsec
#: (Explanatory Supplement V.4).
WANDER = 2.0


def sources(table: Table) -> NDArray[np.str_]:
    """Return where each row's footprint is from: scn, lgo, atlas or sim."""
    default = "sim" if is_simulated(Table(meta=table.meta, copy=False)) else "scn"
    if "source" not in table.colnames:
        return np.full(len(table), default)
    said = np.ma.filled(np.ma.asarray(table["source"]).astype(str), "")
    return np.where(said == "", default, said)


def keys(table: Table) -> list[tuple[str, str, int]]:
    """Return the identities of a table's rows: date, hemis, scan."""
    dates, hemis = (np.asarray(table[name]).astype(str).tolist() for name in IDENTITY[:2])
    return list(zip(dates, hemis, np.asarray(table["scan"]).astype(int).tolist(), strict=True))


def with_images(table: Table, atlas: Table) -> Table:
    """Return the table with the scans of `scan_table_from_atlas` that it has not, at its end."""
    return _joined(table, as_scan_table(atlas))


def with_logs(table: Table, logs: Table | Iterable[Table]) -> Table:
    """Return the table with the logs' scans that it has not, after its own rows."""
    more = scans_of_logs(logs)
    return table if more is None else _joined(table, more)


def _joined(table: Table, more: Table) -> Table:
    known = set(keys(table))
    more = more[[key not in known for key in keys(more)]]
    if len(more) == 0:
        return table
    table["source"], more["source"] = sources(table), sources(more)
    return vstack([table, more], metadata_conflicts="silent")


def with_uncertainty(table: Table) -> Table:
    """Return the table with how far each footprint may be off, where any of them is predicted."""
    source = sources(table)
    if not np.isin(source, ["lgo", "atlas"]).any() and UNCERTAINTY[0] not in table.colnames:
        return table
    for name, atlas in zip(UNCERTAINTY, ATLAS_UNCERTAINTY, strict=True):
        default = np.select([source == "scn", source == "atlas"], [WANDER, atlas], 0.0)
        said = values(table, name).astype(float) if name in table.colnames else np.nan
        table[name] = Column(np.where(np.isfinite(said), said, default), unit=u.arcsec)
    return table


def with_raw_scans(table: Table, raw: Table) -> tuple[Table, Table]:
    """Return the table with what the raw scan table says; masked where it lists no such scan.

    Returns
    -------
    table : `~astropy.table.Table`
    unplaced : `~astropy.table.Table`
        Rows of the raw scan table that have no footprint: they cannot be found by position.

    Raises
    ------
    TableError
        If `raw` does not identify its scans.
    """
    missing = [name for name in IDENTITY if name not in raw.colnames]
    if missing:
        msg = f"this is not a raw scan table: it lacks {', '.join(missing)}"
        raise TableError(msg)
    listed = keys(raw)
    place = {key: i for i, key in enumerate(listed)}
    ours = keys(table)
    found = np.array([place.get(key, -1) for key in ours])
    for name in RAW_COLUMNS:
        if name not in raw.colnames:
            continue
        said: Any = np.ma.asarray(raw[name])
        column = np.ma.array(said[found], mask=np.ma.getmaskarray(said)[found] | (found < 0))
        if name in table.colnames:  # what a log or a header says stands where raw says nothing
            before = np.ma.asarray(table[name])
            column = np.ma.where(np.ma.getmaskarray(column), before, column)
        table[name] = MaskedColumn(column)
    placed = set(ours)
    kept = [name for name in (*IDENTITY, "tile", "sd", *RAW_COLUMNS) if name in raw.colnames]
    return table, raw[kept][[key not in placed for key in listed]]
