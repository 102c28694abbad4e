"""Where a person keeps the archive's tables, and how those of one kind become one table."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table, TableMergeError, vstack
from tqdm import tqdm

from ...cache import cache_folder
from ...errors import NotFoundError, ScanNameError, TableError, TwomassWarning
from ...files import as_path
from ...scan import FileName
from ..directory import read_dir
from ..dumps import is_dump
from ..formats import read_any
from ..inventory import read_inventory
from ..lgo import read_lgo
from ..opening import read_bytes
from ..raw_scans import read_raw_scans
from ..scan_table import is_simulated, read_scan_table
from .columns import TABLES

__all__ = ["Sources", "found_here", "given", "read", "signature"]

#: Files and tables in memory, by the name of the SQL table that they make.
Sources = dict[str, list[Path | Table]]
_PARQUET = b"PAR1"
_NIGHT = re.compile(r"\d{6}[ns]", re.IGNORECASE)
_SIGNIFICANT = 65_536  # bytes that tell whether a file holds a dump
_NAMES = (
    ("twomass_scn", re.compile(r"(twomass_scn|fp_scan_dat)")),
    ("raw_scans", re.compile(r"raw_?scans")),
    ("lgo", re.compile(r".*lgo")),
    ("inventory", re.compile(r"(.*inventor|disk_?[ns]\d\d)")),
)


def given(**tables: Any) -> Sources:
    """Return what a person gave: a path, a Table or several of either for each SQL table."""
    sources: Sources = {}
    for name, value in tables.items():
        if value is None:
            continue
        one = isinstance(value, str | PathLike | Table) or not isinstance(value, Iterable)
        listed: Iterable[Any] = [value] if one else value
        parts = [v if isinstance(v, Table) else as_path(v).absolute() for v in listed]
        for part in parts:
            if isinstance(part, Path) and not part.is_file():
                msg = f"{part}: {'this is no file' if part.exists() else 'no such file'}"
                raise NotFoundError(msg)
        if parts:
            sources[name] = parts
    return sources


def found_here() -> Sources:
    """Return the tables of the cache folder and of the archive's roots on this machine.

    In the cache folder, in its ``tables``, in the folders of ``TWOMASS_NB_ARCHIVE`` and one folder
    below these (where a root holds disks or tapes) they are known by name: twomass_scn or
    fp_scan_dat, raw_scans, anything with lgo, anything with inventory, and disk_XXX; nights' .lgo
    and .dir files also in the nights' own folders.
    """
    sources: Sources = {}
    roots = [part for part in os.environ.get("TWOMASS_NB_ARCHIVE", "").split(os.pathsep) if part]
    places = [(cache_folder(), 0), (cache_folder() / "tables", 0)]
    places += [(as_path(root).absolute(), 1) for root in roots]
    for folder, below in places:
        for path in _files_of(folder, below):
            if path.is_file() and (name := _kind(path)):
                sources.setdefault(name, []).append(path)
    return sources


def _files_of(folder: Path, below: int) -> Iterator[Path]:
    """Yield what may be a table; of a night's folder, which has thousands of files, by name."""
    if _NIGHT.fullmatch(folder.name):
        for ending in (".lgo", ".lgo.gz", ".dir", ".dir.gz"):
            yield folder / f"{folder.name}{ending}"
        return
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError:  # a root that is not there, or refuses
        return
    for name, is_folder in found:
        if is_folder and (below or _NIGHT.fullmatch(name)):
            yield from _files_of(folder / name, below - 1)
        elif not is_folder:
            yield folder / name


def _kind(path: Path) -> str | None:
    """Return which table a file is by its name, and where that says little by how it begins."""
    if path.name.startswith("."):
        return None
    try:
        said = FileName.parse(path.name).kind
    except ScanNameError:
        said = ""
    if said:
        return {"log": "lgo", "directory": "inventory"}.get(said)
    name = next((name for name, form in _NAMES if form.match(path.name.lower())), None)
    return name if name == "twomass_scn" or (name and _holds_a_table(path)) else None


def _holds_a_table(path: Path) -> bool:
    """Whether a file begins as a dump or as Parquet: one named disk_XXX may be a mere label."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        opener: Callable[..., Any] = gzip.open if packed else open
        with opener(path, "rb") as stream:
            start = stream.read(_SIGNIFICANT)
    except (OSError, EOFError):
        return False
    return start.startswith(_PARQUET) or is_dump(start)


def signature(sources: Sources) -> str:
    """Return what tells these sources from others, and from themselves once they change."""
    digest = hashlib.sha256()
    for name in TABLES:
        for source in sources.get(name, []):
            digest.update(name.encode())
            if isinstance(source, Path):
                status = source.stat()
                digest.update(f"{source} {status.st_size} {status.st_mtime_ns}".encode())
            else:
                for part in _content(source):
                    digest.update(part)
    return digest.hexdigest()[:20]


def _content(table: Table) -> Iterator[bytes]:
    yield repr((len(table), is_simulated(table))).encode()
    for column in table.columns.values():
        values = np.asarray(column)
        yield f"{column.name} {values.dtype} {column.unit}".encode()
        yield np.ma.getmaskarray(np.ma.asarray(column)).tobytes()
        kind = values.dtype.kind
        yield repr(values.tolist()).encode() if kind == "O" else values.tobytes()


def read(name: str, sources: list[Path | Table]) -> Table:
    """Return the sources of one SQL table as one table.

    Of a night that several sources list only the first one's rows are kept, so that summaries and
    the nights' own files go together; summaries come first.

    Raises
    ------
    TableError
        If the only source cannot be read, or they cannot be put together.

    Warns
    -----
    TwomassWarning
        If one of several cannot be read: it is left out.
    """
    ordered = sorted(sources, key=_is_of_a_night)
    bar = tqdm(
        ordered, desc=f"reading {name}", delay=1, leave=False, disable=not sys.stderr.isatty()
    )
    parts: list[Table] = []
    nights: set[tuple[str, str]] = set()
    for source in bar:
        try:
            table = source if isinstance(source, Table) else _read_file(name, source)
        except TableError as error:
            if len(ordered) == 1:
                raise
            warnings.warn(f"left out of the catalogue: {error}", TwomassWarning, stacklevel=4)
            continue
        keys = list(zip(_texts(table, "date"), _texts(table, "hemis"), strict=True))
        if nights:
            table = table[np.array([key not in nights for key in keys], bool)]
        nights.update(keys)
        if len(table):
            parts.append(_marked(table))
    if not parts:
        msg = f"no source of the table {name} can be read, or they have no rows"
        raise TableError(msg)
    try:
        joined = vstack(parts, metadata_conflicts="silent")
    except TableMergeError as error:
        msg = f"the sources of the table {name} do not fit together: {' '.join(str(error).split())}"
        raise TableError(msg) from None
    joined.meta.clear()
    return joined


def _is_of_a_night(source: Path | Table) -> bool:
    try:
        return isinstance(source, Path) and bool(FileName.parse(source.name))
    except ScanNameError:
        return False


def _texts(table: Table, name: str) -> list[str]:
    if name not in table.colnames:
        return [""] * len(table)
    return np.ma.filled(np.ma.asarray(table[name]).astype(str), "").tolist()


def _marked(table: Table) -> Table:
    """Return a table whose rows say whether they are simulated, so that a stack of them does."""
    table = Table(table, copy=False)
    if is_simulated(Table(meta=table.meta, copy=False)):
        table["source"] = np.full(len(table), "sim")
    return table


def _read_file(name: str, path: Path) -> Table:
    with path.open("rb") as stream:
        parquet = stream.read(4) == _PARQUET
    if parquet and name != "twomass_scn":
        return read_any(read_bytes(path), str(path))[0]
    return _READERS[name](path)


def _read_files(path: Path) -> Table:
    try:
        listed = FileName.parse(path.name).kind == "directory"
    except ScanNameError:
        listed = False
    if not listed:
        return read_inventory(path)
    table = read_dir(path)
    return table[[name for name in table.colnames if name not in ("line", "blocks", "md5")]]


_READERS: dict[str, Callable[[Path], Table]] = {
    "twomass_scn": read_scan_table,
    "raw_scans": read_raw_scans,
    "lgo": read_lgo,
    "inventory": _read_files,
}
