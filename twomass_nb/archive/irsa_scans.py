"""The survey's scan table, whole: how it is fetched in pages, and how one knows that it is all."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table, vstack

from ..cache import cache_folder, keep_origin, locked, verified
from ..errors import FetchError, NotFoundError, TableError, TwomassError, TwomassWarning
from ..files import whole_file
from ..scan import ScanId
from ..tables import read_scan_table
from ..tables.columns import CORNERS
from ..tables.scan_table import as_scan_table
from .irsa_service import base, tap
from .places import known_scan_table
from .remote_answer import sha256_of
from .remote_manners import public_url

__all__ = ["ROWS", "corners_of", "fetch_scan_table"]

#: Rows of the survey's scan table (seed 000; IRSA's own description).
ROWS = 59_731
#: Pages are ranges of RA, an hour each: every row has one, and 2,500 rows are below any limit.
_PAGES = 24
_TABLE = "fp_scan_dat"


def fetch_scan_table() -> Path:
    """Return the survey's scan table, fetched from IRSA (``fp_scan_dat``) if it is not here yet.

    It is asked for in 24 pages by TAP; those that came before something broke are kept, so that
    the next call goes on from there. Only the whole is kept under its name.

    Returns
    -------
    path
        A Parquet file in the cache folder: `read_scan_table` reads it, `twomass-nb locate` and
        everything else that needs a scan table finds it.

    Raises
    ------
    FetchError
        If IRSA cannot be reached or answers with something else; if the rows are not 59,731, or
        two are of one scan. Pages that make no whole are dropped.
    OfflineError
        If the network is forbidden.
    TwomassError
        If pyvo or pyarrow is not installed.
    """
    target = cache_folder() / "tables" / "twomass_scn.parquet"
    with locked(target):
        if not verified(target):
            _fetch(target)
    return target


def corners_of(scan_id: ScanId) -> SkyCoord:
    """Return the four corners of a scan, in the order of the scan table that is known here.

    Raises
    ------
    NotFoundError
        If no scan table is known, or the scan is not in it.
    """
    path = known_scan_table()
    table = read_scan_table(path)
    here = (
        (table["date"] == scan_id.date.isoformat())
        & (table["hemis"] == scan_id.hemis)
        & (table["scan"] == scan_id.scan)
    )
    if not here.any():
        msg = f"scan {scan_id} is not in {path}: IRSA has images and sources of its scans only"
        raise NotFoundError(msg)
    row = table[here][0]
    ra, dec = ([float(row[f"{axis}_{k}"]) for k in (1, 2, 3, 4)] for axis in ("ra", "dec"))
    return SkyCoord(ra, dec, unit="deg")


def _fetch(target: Path) -> None:
    from tqdm import tqdm

    pages = target.with_name(".twomass_scn.pages")
    bar = tqdm(
        range(_PAGES), desc=f"{_TABLE} of IRSA", unit="page", delay=1, leave=False,
        disable=not sys.stderr.isatty(),
    )  # fmt: skip
    try:
        tables = [_page(pages / f"{i:02d}.parquet", i) for i in bar]
        table = _whole(tables)
    except TableError as error:
        shutil.rmtree(pages, ignore_errors=True)
        msg = f"IRSA's scan table is not what it should be: {error}; nothing of it was kept"
        raise FetchError(msg) from error
    source = f"{public_url(base())}/TAP {_TABLE}"
    _write(target, table, {"from": source, "fetched": _today()})
    keep_origin(target, target.stat().st_size, sha256_of(target), source)
    shutil.rmtree(pages, ignore_errors=True)


def _page(path: Path, i: int) -> Table:
    """Return a page: kept from an earlier try, or fetched and kept."""
    if path.exists():
        return _read(path)
    low, high = 360 / _PAGES * i, 360 / _PAGES * (i + 1)
    table = tap(
        f"SELECT * FROM {_TABLE} WHERE ra >= {low:g} AND ra < {high:g}",
        what=f"page {i + 1} of {_PAGES} of the scan table {_TABLE}",
        needed=("ra", *CORNERS),  # other columns have several names: as_scan_table knows them
    )
    ra = np.asarray(table["ra"], float)
    if not len(table) or not np.all((ra >= low) & (ra < high)):
        msg = f"page {i + 1} of {_PAGES} has no rows, or rows of another page"
        raise TableError(msg)
    _write(path, as_scan_table(table), {})
    return _read(path)


def _read(path: Path) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TwomassWarning)  # rows of one scan are refused later
        return read_scan_table(path)


def _whole(pages: list[Table]) -> Table:
    table = vstack(pages, metadata_conflicts="silent")
    if len(table) != ROWS:
        msg = f"it has {len(table)} rows, not {ROWS}"
        raise TableError(msg)
    scans = set(zip(table["date"], table["hemis"], table["scan"], strict=True))
    if len(scans) != len(table):
        msg = f"{len(table) - len(scans)} of its rows are of a scan that another row is of"
        raise TableError(msg)
    return table


def _write(path: Path, table: Table, meta: dict[str, str]) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        msg = "keeping the scan table needs pyarrow: pip install 'twomass_nb[scale]'"
        raise TwomassError(msg) from None
    arrow = pa.table({name: _values(table[name]) for name in table.colnames})
    if meta:
        arrow = arrow.replace_schema_metadata({"twomass_nb": json.dumps(meta)})
    with whole_file(path) as file:
        parquet.write_table(arrow, file)


def _values(column: Any) -> Any:
    import pyarrow as pa

    mask = np.ma.getmaskarray(column)
    return pa.array(np.ma.getdata(column), mask=mask if mask.any() else None)


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()
