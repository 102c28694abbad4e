"""On which tape and disk of the archive a scan is, and what to ask for when it is not here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from ..errors import ScanMissingError, TableError
from ..files import as_path
from ..scan import BAND_NAMES, ScanId
from ..tables.known import TRUNCATED_ON_TAPE
from .places import known_raw_scans

__all__ = ["Looked", "cut_on_tape", "labels_of", "missing"]

_LABELS = ("tape_label", "disk_label")
_SHOWN = 6  # places that a message lists


@dataclass(frozen=True)
class Looked:
    """A place where a scan was looked for, and what came of it."""

    place: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.place} ({self.outcome})"


def cut_on_tape(scan_id: ScanId, band: str) -> bool:
    """Whether a file is one of the four that the tapes have cut off."""
    file = f"{scan_id.stem(band)}.rds.gz"
    return any((one.hemis, one.file) == (scan_id.hemis, file) for one in TRUNCATED_ON_TAPE)


def labels_of(
    scan_id: ScanId, raw_scans: Table | str | PathLike[str] | None = None
) -> dict[str, str]:
    """Return the labels of the tape and the disk that hold a scan.

    A night is on one tape and one disk, so any scan of the night tells.

    Parameters
    ----------
    scan_id : ScanId
    raw_scans : Table or path, optional
        The raw scan table; if not given, that in the cache folder (``raw_scans`` with any suffix).

    Returns
    -------
    dict
        ``tape_label`` and ``disk_label``, those that are known.
    """
    table = _raw_scans(raw_scans)
    if table is None:
        return {}
    if lacking := [name for name in ("date", "hemis", "scan") if name not in table.colnames]:
        msg = f"this is no raw scan table: it has no {', '.join(lacking)}"
        raise TableError(msg)
    dates = np.array([str(date)[:10] for date in table["date"]])
    night = (dates == scan_id.date.isoformat()) & (np.asarray(table["hemis"]) == scan_id.hemis)
    rows = table[night]
    same = rows[np.asarray(rows["scan"]) == scan_id.scan]
    known = {}
    for name in _LABELS:
        if name in rows.colnames:
            values = [v for v in [*same[name], *rows[name]] if v is not np.ma.masked and str(v)]
            if values:
                known[name] = str(values[0])
    return known


def _raw_scans(given: Any) -> Table | None:
    if isinstance(given, Table):
        return given
    path = as_path(given) if given is not None else known_raw_scans()
    return None if path is None else _read(path, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> Table:
    from ..tables import read_raw_scans

    if path.suffix == ".parquet":
        return Table.read(path, format="parquet")
    return read_raw_scans(path)


def missing(
    scan_id: ScanId,
    bands: Sequence[str],
    looked: Iterable[Looked],
    raw_scans: Table | str | PathLike[str] | None = None,
) -> ScanMissingError:
    """Return the error that says which files of a scan are nowhere, and what to ask for."""
    looked = list(looked)
    stems = ", ".join(f"{scan_id.stem(band)}.rds.gz" for band in bands)
    what = "/".join(BAND_NAMES[band] for band in bands)
    places = "; ".join(str(one) for one in looked[:_SHOWN])
    if len(looked) > _SHOWN:
        places += f"; and {len(looked) - _SHOWN} more"
    labels = labels_of(scan_id, raw_scans)
    if labels:
        media = " or ".join(f"{name.split('_')[0]} {labels[name]}" for name in labels)
        ask = f"ask the archive for {stems} with .par, folder {scan_id.night} of {media}"
    else:
        ask = (
            f"ask the archive for {stems} with .par, of {scan_id.date} {scan_id.hemis} (the raw "
            "scan table, put as raw_scans into the cache folder, tells its tape and disk)"
        )
    msg = f"no raw file of {scan_id} {what} is at hand; looked in {places}; {ask}"
    error = ScanMissingError(msg)
    error.looked, error.labels = looked, labels
    return error
