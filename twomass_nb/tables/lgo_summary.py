"""The summary of all nights' logs, as a PostgreSQL dump: a row a scan, under names not known here.

Seed 000 says that it exists ("a summary lgo table ... in postgres dump format") and not what its
columns are called: those known from the logs' header, from .par files and from the raw scan table
are recognized, all others kept as they are.
"""

from __future__ import annotations

from os import PathLike

import numpy as np
from astropy.table import Column, MaskedColumn, Table

from ..errors import TableError
from .cells import (
    Cells,
    Mask,
    angles,
    as_column,
    guessed,
    iso_dates,
    reals,
    texts,
    warn_of_duplicates,
    wholes,
)
from .dumps import DumpTable, read_dump

__all__ = ["LGO_COLUMNS", "is_lgo_summary", "lgo_of", "read_summary"]

#: Columns of a night's log, and the names that they may have elsewhere.
LGO_COLUMNS = {
    "date": ("ordate", "obs_date", "obsdate", "night"),
    "hemis": ("hemisp", "hemisphere", "hem", "site"),
    "scan": ("scn", "scanno", "scan_no"),
    "ut": ("sr_ut", "ut_sos", "sos_ut"),
    "tile": ("strpid", "strip_id", "stripid", "strip", "tile_id"),
    "r": ("r_flag",),
    "ra": ("sr_ra_2000", "sr_ra", "ra_2000", "ra_sos", "ra2000"),
    "dec": ("sr_dec_2000", "sr_dec", "dec_2000", "dec_sos", "decl", "dec2000"),
    "airm": ("air_m", "airmass", "am", "am_sos"),
    "frames": ("frms", "numfrms", "n_frames", "nframes"),
    "sd": ("d", "s_dir", "scandir", "scan_dir", "dir"),
    "s_type": ("typ", "type", "scan_type"),
    "comment": ("comments", "remark", "remarks"),
}
_CALLED = {other: name for name, others in LGO_COLUMNS.items() for other in (name, *others)}
_IDENTITY = ("date", "hemis", "scan")


def read_summary(path: str | PathLike[str]) -> Table:
    """Read a dump of all nights' logs into the columns of a night's; see `read_lgo`."""
    found, simulated = read_dump(path)
    logs = [table for table in found if is_lgo_summary(table)]
    if not logs:
        msg = (
            f"{path} is not a table of night logs: none of its tables has columns date, hemis, "
            "scan and a start of scan (ut, ra, dec) or airmass"
        )
        raise TableError(msg)
    table = lgo_of(max(logs, key=len))
    table.meta.update(path=str(path), format="dump", **({"SIMULATE": True} if simulated else {}))
    warn_of_duplicates(table)
    return table


def is_lgo_summary(dump: DumpTable) -> bool:
    """Whether a dump's table has what only logs say: when or where scans started."""
    names = {_CALLED.get(name) for name in dump.columns or ()}
    return set(_IDENTITY) <= names and bool(names & {"ut", "ra", "airm"}) and "ra_1" not in (
        dump.columns or ()
    )  # fmt: skip


def lgo_of(dump: DumpTable) -> Table:
    """Return a table of a dump in the columns of a night's log, those it lacks masked."""
    places: dict[str, int] = {}
    for i, name in enumerate(dump.columns or ()):
        ours = _CALLED.get(name)
        if ours and ours not in places:
            places[ours] = i
    table = Table()
    for name in LGO_COLUMNS:
        if name in places:
            table[name] = log_column(name, *dump.cells(places[name]))
        else:
            table[name] = _absent(name, len(dump))
    for i, name in enumerate(dump.columns or ()):
        if i not in places.values():
            table[name] = guessed(*dump.cells(i))
    table.meta["unknown"] = dump.unknown
    return table


def log_column(name: str, cells: Cells, null: Mask) -> Column:
    """Return a column of a log; its texts are empty, its numbers masked where nothing is said."""
    if name in ("scan", "tile", "frames"):
        return as_column(*wholes(cells, null))
    if name == "ut":
        return as_column(*angles(cells, null, 0, 24), unit="h")
    if name == "ra":
        hours = (np.char.find(cells, b":") >= 0).any()
        values, bad = angles(cells, null, 0, 24 if hours else 360)
        return as_column(15 * values if hours else values, bad, unit="deg")
    if name == "dec":
        return as_column(*angles(cells, null, -90, 90), unit="deg")
    if name == "airm":
        return as_column(*reals(cells, null))
    if name == "date":
        return as_column(*iso_dates(cells, null))
    text, _ = texts(cells, null)
    return Column(np.char.lower(text) if name in ("hemis", "sd", "s_type") else text)


def _absent(name: str, n: int) -> Column:
    if name in ("r", "sd", "s_type", "comment"):
        return Column(np.full(n, ""))
    kind = np.int64 if name in ("tile", "frames") else float
    units = {"ut": "h", "ra": "deg", "dec": "deg"}
    return MaskedColumn(np.zeros(n, kind), mask=np.ones(n, bool), unit=units.get(name))
