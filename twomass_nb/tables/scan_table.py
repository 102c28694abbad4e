"""What a table must hold to be a scan table (twomass_scn): names, units, identity, sane corners."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from os import PathLike
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from ..errors import TableError, TwomassWarning
from ..scan import DAY_ONE
from .columns import ALIASES, CORNERS, NEEDED, UNITS
from .formats import read_any
from .opening import read_bytes

__all__ = ["as_scan_table", "is_simulated", "read_scan_table", "row_name", "values"]

_POSITIONS = ("ra", "dec", *CORNERS)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")


def read_scan_table(path: str | PathLike[str]) -> Table:
    """Read the archive's scan table (``twomass_scn``, ``fp_scan_dat``).

    The format is recognized by content: bar-delimited ASCII of the DVD and FTP releases (with
    backslash N for null), PostgreSQL dump, IPAC table, VOTable, FITS, CSV, ECSV or Parquet, each
    also gzipped.

    Parameters
    ----------
    path : path

    Returns
    -------
    `~astropy.table.Table`
        The rows as given and in their order. Columns have the archive's names (``dec``,
        ``scan_key``, ``date``, ``sd`` also where the file says decl, cntr, xdate, s_dir), and its
        units where the file gives none; unknown columns are kept. ``meta`` says ``path``,
        ``format`` and, for a simulated table, ``SIMULATE``.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is not a scan table: unknown format, columns missing, an impossible row.

    Warns
    -----
    TwomassWarning
        If rows share date, hemis and scan. They are kept: the archive has some.
    """
    table, name = read_any(read_bytes(path), str(path))
    try:
        table = as_scan_table(table)
    except TableError as err:
        msg = f"{path}: {err}"
        raise TableError(msg) from None
    table.meta["path"] = str(path)
    table.meta["format"] = name
    table.meta["rows"] = len(table)  # so that a part or a stack of tables is not taken for it
    if is_simulated(table):
        table.meta["SIMULATE"] = True
    _warn_of_duplicates(table)
    return table


def as_scan_table(table: Table) -> Table:
    """Return a checked copy of a table with the scan table's names and units.

    Raises
    ------
    TableError
        If needed columns are missing, or a row has no identity or impossible corners.
    """
    result = Table(table, copy=True)
    _rename(result)
    missing = [name for name in NEEDED if name not in result.colnames]
    if missing:
        msg = f"this is not a scan table: it lacks {', '.join(missing)}"
        raise TableError(msg)
    if len(result) == 0:
        msg = "this scan table has no rows"
        raise TableError(msg)
    for name in result.colnames:
        if result[name].dtype.kind in "SO":
            result[name] = _as_text(result[name])
    _set_units(result)
    _check_identity(result)
    _check_corners(result)
    return result


def is_simulated(table: Table) -> bool:
    """Whether a table says that its scans never were: in its meta, or in a row's ``source``."""
    meta = table.meta.get("SIMULATE", False)
    if meta in (True, 1, "T", "True", "true"):
        return True
    return "source" in table.colnames and bool(np.any(np.asarray(table["source"]) == "sim"))


def row_name(table: Table, i: int) -> str:
    """Return how an error names a row: its number from 0 and its scan."""
    date, hemis, scan = (table[name][i] for name in ("date", "hemis", "scan"))
    return f"row {i} ({date} {hemis} {scan})"


def values(table: Table, name: str) -> NDArray[Any]:
    """Return a column's plain values; NaN where a number is masked."""
    column = table[name]
    if isinstance(column, u.Quantity):
        column = column.value
    if column.dtype.kind in "fiu" and np.any(getattr(column, "mask", False)):
        return np.ma.filled(np.ma.asarray(column, float), np.nan)
    return np.asarray(column)


def _rename(table: Table) -> None:
    for name in list(table.colnames):
        plain = name.strip().lower()
        plain = ALIASES.get(plain, plain)
        if plain == name:
            continue
        if plain in table.colnames:
            msg = f"columns {name!r} and {plain!r} are the same thing: keep one"
            raise TableError(msg)
        table.rename_column(name, plain)


def _as_text(column: Any) -> Any:
    """Text columns of every origin (bytes, objects) as fixed-width unicode."""
    mask = np.ma.getmaskarray(column) if isinstance(column, MaskedColumn) else None
    texts = [
        "" if value is None or value is np.ma.masked
        else value.decode("utf-8", "replace") if isinstance(value, bytes)
        else str(value)
        for value in column
    ]  # fmt: skip
    made: Any = MaskedColumn if mask is not None and mask.any() else Column
    data = np.char.strip(np.array(texts, dtype=str))
    options = {"mask": mask} if made is MaskedColumn else {}
    return made(data, name=column.name, description=column.description, meta=column.meta, **options)


def _set_units(table: Table) -> None:
    for name in table.colnames:
        column = table[name]
        if name in _POSITIONS:
            if column.dtype.kind not in "fiu":
                msg = f"column {name} does not hold numbers: {column[0]!r}"
                raise TableError(msg)
            unit = column.unit
            if unit is not None and unit.is_equivalent(u.deg) and unit != u.deg:
                table[name] = Column(column.quantity.to(u.deg), description=column.description)
            else:  # none, or a word for degrees that astropy does not know
                column.unit = u.deg
        elif name in UNITS and column.unit is None:
            column.unit = u.Unit(UNITS[name])


def _check_identity(table: Table) -> None:
    """Dates become ISO text, hemispheres and directions single letters, scans whole numbers."""
    dates = table["date"]
    if dates.dtype.kind == "M":
        table["date"] = np.asarray(dates).astype("datetime64[D]").astype(str)
    elif dates.dtype.kind != "U":
        table["date"] = np.array([str(value) for value in dates])
    for name in ("hemis", "sd"):
        table[name] = np.char.lower(np.char.strip(np.asarray(table[name]).astype(str)))
        _refuse(table, ~np.isin(table[name], ["n", "s"]), f"{name} is neither n nor s")
    texts = np.char.strip(np.asarray(table["date"]).astype(str))
    good = {text: _ISO_DATE.fullmatch(text) and _is_survey_day(text[:10]) for text in set(texts)}
    bad = [not good[text] for text in texts]
    _refuse(table, bad, "date is not a day of the survey, written as 2000-05-29")
    table["date"] = texts.astype("U10")
    try:
        scans = values(table, "scan").astype(float)
    except ValueError:
        msg = f"column scan does not hold numbers: {table['scan'][0]!r}"
        raise TableError(msg) from None
    whole = np.isfinite(scans) & (scans == np.rint(scans)) & (scans >= 1) & (scans <= 999)
    _refuse(table, ~whole, "scan is not a whole number from 1 to 999")
    table["scan"] = np.rint(scans).astype(int)


def _is_survey_day(text: str) -> bool:
    try:
        return bool(np.datetime64(text) >= np.datetime64(DAY_ONE))
    except ValueError:
        return False


def _check_corners(table: Table) -> None:
    for name in CORNERS:
        value = values(table, name)
        low, high = (0.0, 360.0) if name.startswith("ra") else (-90.0, 90.0)
        with np.errstate(invalid="ignore"):
            _refuse(table, ~((value >= low) & (value <= high)), f"{name} is not on the sky")


def _refuse(table: Table, bad: Any, why: str) -> None:
    rows = np.flatnonzero(bad)
    if rows.size:
        more = f" (and {rows.size - 1} more rows)" if rows.size > 1 else ""
        msg = f"{row_name(table, int(rows[0]))}: {why}{more}"
        raise TableError(msg)


def _warn_of_duplicates(table: Table) -> None:
    keys = zip(table["date"].tolist(), table["hemis"].tolist(), table["scan"].tolist(), strict=True)
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        named = ", ".join(f"{date} {hemis} {scan}" for date, hemis, scan in twice[:5])
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        warnings.warn(
            f"scans listed more than once (all rows kept): {named}{more}",
            TwomassWarning,
            stacklevel=3,
        )
