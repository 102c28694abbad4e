"""The table of a night: a row a scan, with what its log, tables and files say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..scan import BANDS, ScanId

if TYPE_CHECKING:
    from astropy.table import Table

    from .night import Night

__all__ = ["scans_table"]

_TEXTS = ("scan_id", "s_type", "sd")


def scans_table(night: Night) -> Table:
    """Return the table that `Night.scans` describes."""
    from astropy.table import MaskedColumn, Table

    rows: dict[int, dict[str, Any]] = {}
    for source, table in (("lgo", night.lgo), ("raw_scans", night.raw_scans)):
        for said in table if table is not None else ():
            row = rows.setdefault(int(said["scan"]), {})
            for name, column in (("s_type", "s_type"), ("sd", "sd"), ("sd", "s_dir"),
                                 ("tile", "tile"), (f"frames_{source}", "frames")):  # fmt: skip
                if column in said.colnames and said[column] is not np.ma.masked:
                    row.setdefault(name, said[column])  # of rows given twice the first counts
    for stem, par in night.pars.items():
        row = rows.setdefault(int(stem[5:8]), {})
        if isinstance(par.get("NUMFRMS"), int):
            row[f"frames_par_{stem[0]}"] = par["NUMFRMS"]
        if isinstance(par.get("TYPE"), str):
            row.setdefault("s_type", par["TYPE"].strip().lower())
    for entry in night.raw_files:
        if entry.scan is None:  # a name of somebody's own
            continue
        row = rows.setdefault(entry.scan, {})
        row.setdefault(f"file_{entry.band}", entry.path.name)
        row.setdefault(f"frames_{entry.band}", entry.frames_hint())
    for scan, row in rows.items():
        row["scan"] = scan
        known = night.hemis is not None
        row["scan_id"] = str(ScanId(night.date, str(night.hemis), scan)) if known else ""
    names = ["scan_id", "scan", "s_type", "sd", "tile", "frames_lgo"]
    names += ["frames_raw_scans"] if night.raw_scans is not None else []
    names += [f"{what}_{band}" for band in BANDS for what in ("file", "frames", "frames_par")]
    found = Table()
    for name in names:
        values = [rows[scan].get(name) for scan in sorted(rows)]
        if name in _TEXTS or name.startswith("file_"):
            found[name] = np.array([str(value or "") for value in values], dtype=str)
        else:
            mask = [value is None for value in values]
            found[name] = MaskedColumn([int(value or 0) for value in values], mask=mask, dtype=int)
    found.meta["night"] = night.name
    if night.simulated:
        found.meta["SIMULATE"] = True
    return found
