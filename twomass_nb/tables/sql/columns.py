"""How the archive's tables become typed columns of Parquet: DATE, INTEGER, DOUBLE, real nulls."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from ..cells import lower
from ..columns import UNITS
from ..raw_scans import RAW_SCAN_COLUMNS
from ..scan_table import is_simulated

__all__ = ["IDENTITY", "TABLES", "as_arrow"]

#: What makes a scan one scan; all tables have it.
IDENTITY = ("date", "hemis", "scan")
_TEXTS = ("hemis", "s_dir", "sd", "s_type", "as_cat", "tape_label", "disk_label", "band", "kind",
          "file", "comment", "r")  # fmt: skip
_REALS = ("ra", "dec", "ut", "airm")
_LONG = ("size",)
# Letters and labels, which sources write in either case.
_LOWER = ("hemis", "s_dir", "sd", "s_type", "as_cat", "tape_label", "disk_label", "band")
#: The tables, and the columns that each of them surely has; null where its source has none.
TABLES = {
    "twomass_scn": (*IDENTITY, "tile", "sd", "ra", "dec", "qual"),
    "raw_scans": RAW_SCAN_COLUMNS,
    "lgo": (*IDENTITY, "ut", "tile", "ra", "dec", "airm", "frames", "sd", "s_type", "comment"),
    "inventory": (*IDENTITY, "band", "kind", "file", "size", "tape_label", "disk_label"),
}


def as_arrow(table: Table, name: str) -> Any:
    """Return a table as Arrow.

    Parameters
    ----------
    table : `~astropy.table.Table`
        As the readers of `twomass_nb.tables` give it.
    name : {"twomass_scn", "raw_scans", "lgo", "inventory"}

    Returns
    -------
    `pyarrow.Table`
        date is a DATE; where one is not, it is null and ``date_given`` has what was written.
        Masked, NaN and empty cells are null. ``simulated`` says of each row whether its scan never
        was. Units and descriptions are in the fields' metadata.
    """
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    fields = []
    for column in TABLES[name]:
        if column not in table.colnames:
            kind = pa.date32() if column == "date" else _kind(column, pa)
            arrays[column] = pa.nulls(len(table), kind)
    for column in table.colnames:
        values, null = _plain(table[column])
        if column == "date":
            days, wrong = _days(values, null)
            arrays[column] = pa.array(days, mask=wrong).cast(pa.date32())
            if (wrong & ~null).any():
                arrays["date_given"] = pa.array(values, mask=null | ~wrong)
        else:
            arrays[column.lower()] = _array(column.lower(), values, null, pa)
    arrays["simulated"] = pa.array(_simulated(table))
    order = [c for c in TABLES[name] if c in arrays]
    order += [c for c in arrays if c not in order]
    for column in order:
        fields.append(pa.field(column, arrays[column].type, metadata=_about(table, column)))
    return pa.table([arrays[column] for column in order], schema=pa.schema(fields))


def _plain(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a column's values without unit, and which are null."""
    null = np.ma.getmaskarray(np.ma.asarray(column))
    values = np.asarray(getattr(column, "value", column))
    if values.dtype.kind in "OS":
        text = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]
        null = null | np.array([v is None for v in values], bool)
        values = np.array(text, dtype=str)
    if values.dtype.kind == "M":
        values = np.datetime_as_string(values, unit="D")
    if values.dtype.kind == "f":
        null = null | ~np.isfinite(values)
    elif values.dtype.kind == "U":
        null = null | (values == "")
    return values, null


def _days(values: NDArray[Any], null: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    unique, place = np.unique(values.astype(str), return_inverse=True)
    days = np.array([_day(text) for text in unique], "datetime64[D]")[place]
    wrong = null | np.isnat(days)
    return np.where(wrong, np.datetime64("1970-01-01"), days), wrong


def _day(text: str) -> np.datetime64:
    try:
        return np.datetime64(text[:10], "D") if len(text) >= 10 else np.datetime64("NaT")
    except ValueError:
        return np.datetime64("NaT")


def _kind(name: str, pa: Any) -> Any:
    if name in _TEXTS:
        return pa.string()
    if name in _REALS:
        return pa.float64()
    return pa.int64() if name in _LONG else pa.int32()


def _array(name: str, values: NDArray[Any], null: NDArray[np.bool_], pa: Any) -> Any:
    if values.dtype.kind == "U":
        return pa.array(lower(values) if name in _LOWER else values, mask=null)
    if values.dtype.kind == "b":
        return pa.array(values, mask=null)
    if values.dtype.kind == "f":
        whole = name in IDENTITY and bool((values[~null] == np.rint(values[~null])).all())
        if not whole:
            return pa.array(values.astype(float), mask=null)
    values = np.where(null, 0, values).astype(np.int64)
    small = name not in _LONG and bool((np.abs(values) < 2**31).all())
    return pa.array(values.astype(np.int32) if small else values, mask=null)


def _simulated(table: Table) -> NDArray[np.bool_]:
    """Return which rows never were: all of a table that says so, or those whose source does."""
    whole = is_simulated(Table(meta=table.meta, copy=False))
    if whole or "source" not in table.colnames:
        return np.full(len(table), whole)
    return np.asarray(np.ma.filled(np.ma.asarray(table["source"]), "").astype(str) == "sim")


def _about(table: Table, name: str) -> dict[str, str]:
    column = table.columns.get(name)
    unit = getattr(column, "unit", None)
    said = {
        "unit": unit.to_string() if unit is not None else UNITS.get(name, ""),
        "description": getattr(getattr(column, "info", None), "description", None) or "",
    }
    return {key: value for key, value in said.items() if value}
