"""How a catalogue lies on disk: Parquet files, and a list of them that is written last.

A file's name holds a digest of its content. The list, ``catalog.json``, takes its name in one step
when all files are there; until then, and after a killed build, whoever opens the folder finds what
the list named before. Files that no list names are swept by the next build.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astropy.table import Table

from ... import __version__
from ...cache import cache_folder, locked
from ...errors import TableError, WriteError
from ...files import refuse_existing, whole_file
from . import sources as _sources
from .columns import as_arrow
from .views import DESCRIPTIONS, scans_sql

__all__ = ["StoredTable", "build", "cached", "needed", "quoted", "read_list"]

_LIST = "catalog.json"
_FORMAT = 1
_FILE = re.compile(r"\w+-[0-9a-f]{16}\.parquet", re.ASCII)


@dataclass(frozen=True)
class StoredTable:
    """A table of a catalogue on disk.

    Attributes
    ----------
    file : str
        Name of its Parquet file.
    size : int
        Bytes of it.
    rows, simulated : int
        How many rows there are, and how many of them never were.
    sources : tuple of str
        Files that it was made of.
    """

    file: str
    size: int
    rows: int
    simulated: int
    sources: tuple[str, ...]


def needed(name: str) -> Any:
    """Import a library of the extra ``scale``.

    Raises
    ------
    TableError
        If it is not installed.
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        msg = f"the catalogue needs {name}: pip install 'twomass_nb[scale]'"
        raise TableError(msg) from None


def cached(sources: _sources.Sources) -> Path:
    """Return the folder in the cache for a catalogue of these sources, built if need be.

    Of the same files only the latest state is kept.
    """
    folder = cache_folder() / "tables" / "catalog" / _sources.signature(sources)
    try:
        read_list(folder)
    except TableError:  # not there yet, or damaged
        build(folder, sources, overwrite=(folder / _LIST).exists())
        _forget_older(folder, sources)
    return folder


def build(folder: Path, sources: _sources.Sources, overwrite: bool = False) -> None:
    """Make a catalogue; another process that builds the same one is waited for.

    Raises
    ------
    TableError
        If a source cannot be read, or a library is missing.
    ExistsError
        If there is a catalogue, unless it may be overwritten, or something else of this name.
    """
    needed("duckdb")
    needed("pyarrow")
    if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
        refuse_existing(folder)
    with locked(folder):
        if (folder / _LIST).exists() and not overwrite:
            if cache_folder() in folder.parents:  # another process was faster
                return
            refuse_existing(folder)
        tables = {}
        for name, parts in sources.items():
            table = _sources.read(name, parts)
            tables[name] = _write(folder, name, table, parts)
        tables["scans"] = _write_scans(folder, tables)
        listed = {
            "format": _FORMAT,
            "made_by": f"twomass_nb {__version__}",
            "tables": {name: asdict(table) for name, table in tables.items()},
        }
        with whole_file(folder / _LIST) as file:
            file.write(json.dumps(listed, indent=1).encode())
        _sweep(folder, {table.file for table in tables.values()})


def read_list(folder: Path) -> dict[str, StoredTable]:
    """Return the tables of a catalogue on disk, having looked that they are what was written.

    Raises
    ------
    TableError
        If it is no catalogue, one of another version, or a file is missing or damaged.
    """
    try:
        listed = json.loads((folder / _LIST).read_bytes())
        said = listed["format"]
        tables = {
            name: StoredTable(**{**one, "sources": tuple(one["sources"])})
            for name, one in listed["tables"].items()
        }
        # A list from elsewhere may say anything; names and files become SQL.
        ours = all(n in DESCRIPTIONS and _FILE.fullmatch(str(t.file)) for n, t in tables.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        ours = False
    if not ours:
        msg = f"{folder} is not a catalogue: build one with tm.catalog(..., path={str(folder)!r})"
        raise TableError(msg)
    if said != _FORMAT:
        msg = f"{folder} is a catalogue of another version of twomass_nb: build it again"
        raise TableError(msg)
    for table in tables.values():
        if not _is_whole(folder / table.file, table):
            msg = (
                f"{folder / table.file} is missing or damaged: build the catalogue again "
                "(overwrite=True)"
            )
            raise TableError(msg)
    return tables


def _is_whole(path: Path, table: StoredTable) -> bool:
    """Whether a file is what was written: Parquet would answer from a damaged page all the same."""
    if not path.is_file() or path.stat().st_size != table.size:
        return False
    return path.stem.endswith(_digest(path))


def _write(folder: Path, name: str, table: Table, parts: list[Path | Table]) -> StoredTable:
    import pyarrow.compute as pc
    from pyarrow import parquet

    arrow = as_arrow(table, name)
    simulated = int(pc.sum(arrow["simulated"]).as_py() or 0)
    made_of = tuple(
        str(p) if isinstance(p, Path) else str(p.meta.get("path", "a table in memory"))
        for p in parts
    )
    new = folder / f".{name}.new"
    with whole_file(new) as file:
        parquet.write_table(arrow, file, compression="zstd")
    return _named(new, name, arrow.num_rows, simulated, made_of)


def _write_scans(folder: Path, tables: Mapping[str, StoredTable]) -> StoredTable:
    """Join the tables of a folder into ``scans``."""
    duckdb = needed("duckdb")
    new = folder / ".scans.new"
    with duckdb.connect(config={"temp_directory": ""}) as connection:
        run = connection.execute
        run("SET enable_progress_bar = false")
        for name, table in tables.items():
            run(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({quoted(folder / table.file)})")
        try:
            run(f"COPY ({scans_sql(tables)}) TO {quoted(new)} (FORMAT parquet, COMPRESSION zstd)")
        except duckdb.IOException as error:
            new.unlink(missing_ok=True)
            msg = f"{folder} cannot be written ({error}): choose another place"
            raise WriteError(" ".join(msg.split())) from None
        counted = run(
            f"SELECT count(*), count(*) FILTER (simulated) FROM read_parquet({quoted(new)})"
        ).fetchone()
    rows, simulated = counted or (0, 0)
    return _named(new, "scans", rows, simulated, ())


def quoted(text: str | Path) -> str:
    """Return a text as SQL quotes it."""
    return "'" + str(text).replace("'", "''") + "'"


def _named(
    new: Path, name: str, rows: int, simulated: int, made_of: tuple[str, ...]
) -> StoredTable:
    """Give a new file the name that tells its content."""
    path = new.replace(new.with_name(f"{name}-{_digest(new)}.parquet"))
    return StoredTable(path.name, path.stat().st_size, rows, simulated, made_of)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def _is_ours(folder: Path) -> bool:
    """Whether a folder is a catalogue, empty, or what a killed build left."""
    return all(
        p.name == _LIST or p.suffix == ".parquet" or p.name.startswith(".")
        for p in folder.iterdir()
    )


def _sweep(folder: Path, kept: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in kept and path.suffix in (".parquet", ".part", ".new"):
            path.unlink(missing_ok=True)


def _forget_older(folder: Path, sources: _sources.Sources) -> None:
    """Remove catalogues of the cache that were made of the same files in an earlier state."""
    ours = {str(p) for parts in sources.values() for p in parts if isinstance(p, Path)}
    for other in folder.parent.glob("*/" + _LIST):
        if not ours or other.parent == folder:
            continue
        try:
            theirs = {s for table in read_list(other.parent).values() for s in table.sources}
        except TableError:
            continue
        if theirs == ours:
            shutil.rmtree(other.parent, ignore_errors=True)
