"""What a selection of scans may ask for, and which rows of a scan table it leaves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from ..errors import ScanNameError, TableError
from ..scan import HEMISPHERES, parse_band
from ..tables.scan_table import values
from .assemble import UNCERTAINTY, WANDER, sources

__all__ = ["CRITERIA", "selected"]


def selected(table: Table, **criteria: Any) -> NDArray[np.bool_]:
    """Tell which rows of a scan table a selection leaves.

    Parameters
    ----------
    table : `~astropy.table.Table`
    hemis : {"n", "s"}
    dates : str, date or pair of them
        A night, or the first and last of several (either may be None), as "2000-05-29".
    s_type : str or list of str
        sci, cal, lsc, lca ... (from the raw scan table, a log, or a simulated one; a table that
        does not say holds science scans).
    quality : float
        Least quality score (qual), 0 to 10.
    tile : int or list of int
    source : str or list of str
        scn, lgo, atlas, sim.
    band : {"j", "h", "k"}
        Scans calibrated in that band: those whose zero point ({band}_zp_ap) is not null. Every
        scan was taken in all bands at once, so a table without that column loses none.
    catalog : bool
        True: scans of the All-Sky catalogues alone; False: all others. As raw_scans say (as_cat),
        and where they say nothing, by the row's source: twomass_scn lists the catalogue's.
    epochs : int
        Scans of tiles that the rest of the selection has on at least so many nights.
    rows : array of int or of bool
        Rows of the table.

    Returns
    -------
    array of bool

    Raises
    ------
    TableError
        If there is no such criterion, the table does not hold what it asks for, or its value is
        impossible.
    """
    unknown = [name for name in criteria if name not in CRITERIA]
    if unknown:
        msg = f"a selection cannot ask for {unknown[0]!r}: use {', '.join(CRITERIA)}"
        raise TableError(msg)
    keep = np.ones(len(table), bool)
    for name, rule in CRITERIA.items():
        wanted = criteria.get(name)
        if wanted is not None:
            keep &= rule(table, wanted) if name != "epochs" else _epochs(table, wanted, keep)
    return keep


def _column(table: Table, name: str) -> Any:
    if name not in table.colnames:
        msg = f"this scan table has no column {name} to select by"
        raise TableError(msg)
    return table[name]


def _among(column: Any, wanted: Any) -> NDArray[np.bool_]:
    masked = np.ma.getmaskarray(np.ma.asarray(column))
    return np.isin(np.ma.getdata(column), np.atleast_1d(wanted)) & ~masked


def _hemis(table: Table, wanted: Any) -> NDArray[np.bool_]:
    if wanted not in HEMISPHERES:
        msg = f"{wanted!r} is not a hemisphere: use 'n' (Mt. Hopkins) or 's' (Cerro Tololo)"
        raise TableError(msg)
    return np.asarray(table["hemis"]) == wanted


def _date(value: Any) -> str:
    if isinstance(value, dt.date):
        return f"{value:%Y-%m-%d}"
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        msg = f"{value!r} is not a date: write it as 2000-05-29"
        raise TableError(msg) from None


def _dates(table: Table, wanted: Any) -> NDArray[np.bool_]:
    pair = (wanted, wanted) if isinstance(wanted, str | dt.date) else tuple(wanted)
    if len(pair) != 2:
        msg = f"dates={wanted!r}: give one night, or the first and the last"
        raise TableError(msg)
    first, last = (None if day is None else _date(day) for day in pair)
    night = np.asarray(table["date"]).astype(str)
    keep = np.ones(len(table), bool)
    if first is not None:
        keep &= night >= first
    if last is not None:
        keep &= night <= last
    return keep


def _s_type(table: Table, wanted: Any) -> NDArray[np.bool_]:
    if "s_type" not in table.colnames:
        return np.full(len(table), "sci" in np.atleast_1d(wanted))
    return _among(table["s_type"], wanted)


def _quality(table: Table, wanted: Any) -> NDArray[np.bool_]:
    _column(table, "qual")
    return values(table, "qual").astype(float) >= float(wanted)


def _tile(table: Table, wanted: Any) -> NDArray[np.bool_]:
    return _among(_column(table, "tile"), wanted)


def _source(table: Table, wanted: Any) -> NDArray[np.bool_]:
    return np.isin(sources(table), np.atleast_1d(wanted))


def _band(table: Table, wanted: Any) -> NDArray[np.bool_]:
    try:
        name = f"{parse_band(wanted)}_zp_ap"
    except ScanNameError as err:
        raise TableError(str(err)) from None
    if name not in table.colnames:
        return np.ones(len(table), bool)
    return np.isfinite(values(table, name).astype(float))


def _catalog(table: Table, wanted: Any) -> NDArray[np.bool_]:
    inside = np.isin(sources(table), ["scn", "sim"])
    if UNCERTAINTY[0] in table.colnames:  # a simulated log's scans are no more than a log's
        inside &= ~(values(table, UNCERTAINTY[0]).astype(float) > WANDER)
    if "as_cat" in table.colnames:
        said = np.ma.filled(np.ma.asarray(table["as_cat"]).astype(str), "")
        inside = np.where(said == "", inside, np.char.lower(said) == "y")
    return inside == bool(wanted)


def _epochs(table: Table, wanted: Any, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    tile = np.ma.getdata(_column(table, "tile"))
    night = np.char.add(np.asarray(table["date"]).astype(str), np.asarray(table["hemis"]))
    _, night = np.unique(night, return_inverse=True)
    kinds, number = np.unique(tile, return_inverse=True)
    pairs = np.unique(np.stack([number[keep], night[keep]]), axis=1)
    nights = np.bincount(pairs[0], minlength=len(kinds))
    return nights[number] >= wanted


def _rows(table: Table, wanted: Any) -> NDArray[np.bool_]:
    rows = np.asarray(wanted)
    keep = np.zeros(len(table), bool)
    try:
        keep[rows.astype(int) if rows.size == 0 else rows] = True
    except IndexError:
        msg = f"rows must be numbers from 0 to {len(table) - 1}, or {len(table)} truth values"
        raise TableError(msg) from None
    return keep


#: What a selection may ask for, and how a table answers.
CRITERIA: dict[str, Any] = {
    "hemis": _hemis,
    "dates": _dates,
    "s_type": _s_type,
    "quality": _quality,
    "tile": _tile,
    "source": _source,
    "band": _band,
    "catalog": _catalog,
    "rows": _rows,
    "epochs": _epochs,
}
