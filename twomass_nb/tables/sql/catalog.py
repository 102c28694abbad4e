"""Questions to the archive's tables in SQL, answered as astropy tables; read-only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeAlias

from astropy.table import Table

from ...cache import cache_folder
from ...errors import TableError
from ...files import as_path
from .answers import as_column, one_line, plain_values, whole_numbers
from .queries import QUERIES
from .sources import found_here, given
from .store import build, cached, needed, quoted, read_list
from .views import DESCRIPTIONS, known_tables

__all__ = ["Catalog", "catalog"]

_Given: TypeAlias = str | PathLike[str] | Table | Iterable[str | PathLike[str] | Table] | None
_HOW = {
    "twomass_scn": "scans=, the table of the All-Sky release (twomass-nb fetch --what tables)",
    "raw_scans": "raw_scans=, the archive's dump of that name",
    "lgo": "lgo=, the archive's summary of the logs or nights' .lgo files",
    "inventory": "inventory=, the archive's file inventory, of a disk or of all, or .dir files",
}


def catalog(
    scans: _Given = None,
    raw_scans: _Given = None,
    lgo: _Given = None,
    inventory: _Given = None,
    path: str | PathLike[str] | None = None,
    overwrite: bool = False,
) -> Catalog:
    """Return the archive's tables as one catalogue that answers SQL.

    Its tables are ``twomass_scn``, ``raw_scans``, ``lgo`` and ``inventory``, those that were given
    or found; ``scans``, which joins them, one row a scan (date, hemis, scan); and what this package
    knows itself, ``hardware_events`` and ``truncated_files``. They are kept as Parquet, so that the
    same catalogue opens in milliseconds the next time.

    Parameters
    ----------
    scans, raw_scans, lgo, inventory : path, Table, or several of either; optional
        What `read_scan_table`, `read_raw_scans`, `read_lgo` and `read_inventory` (or `read_dir`)
        read, or what they returned. If none is given, those in the cache folder, in its ``tables``,
        and in the folders of ``TWOMASS_NB_ARCHIVE``. Of a night that several list, the first one's
        rows are kept.
    path : path, optional
        Folder to keep it in; if not given, the cache. With a path alone, the catalogue there is
        opened.
    overwrite : bool, optional
        Build it anew at a path that has one.

    Returns
    -------
    Catalog

    Raises
    ------
    TableError
        If there is no table to make it of, one cannot be read, or DuckDB is not installed.
    NotFoundError
        If a file that was given is not there.
    ExistsError
        If there is one at `path` already, unless it may be overwritten.

    Examples
    --------
    >>> archive = tm.catalog(raw_scans="raw_scans.dump")  # doctest: +SKIP
    >>> archive.sql("SELECT s_type, count(*) AS n FROM raw_scans GROUP BY s_type")  # doctest: +SKIP
    >>> archive.ask("disk", disk="s04")  # doctest: +SKIP
    """
    needed("duckdb")
    sources = given(twomass_scn=scans, raw_scans=raw_scans, lgo=lgo, inventory=inventory)
    if path is not None and not sources and not overwrite:
        return Catalog(path)
    sources = sources or found_here()
    if not sources:
        msg = (
            f"no table for a catalogue: give {'; or '.join(_HOW.values())}; or put such files "
            f"into {cache_folder() / 'tables'}, or name the archive's folders in TWOMASS_NB_ARCHIVE"
        )
        raise TableError(msg)
    if path is None:
        return Catalog(cached(sources))
    folder = as_path(path)
    build(folder, sources, overwrite)
    return Catalog(folder)


class Catalog:
    """The archive's tables in DuckDB, over Parquet files; made by `catalog`.

    Nothing can be written through it, and no file read but its own.

    Parameters
    ----------
    path : path
        A folder that `catalog` made.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = as_path(path).absolute()
        self._stored = read_list(self.path)
        files = {name: str(self.path / table.file) for name, table in self._stored.items()}
        self._connection = needed("duckdb").connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
                "temp_directory": "",
            }
        )
        run = self._connection.execute
        for name, file in files.items():
            run(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({quoted(file)})")
        for name, (columns, rows) in known_tables().items():
            run(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        # From here on only our own files can be reached, and nobody can change that.
        run("SET enable_progress_bar = false")
        run(f"SET allowed_paths = [{', '.join(map(quoted, files.values()))}]")
        run("SET enable_external_access = false")
        run("SET lock_configuration = true")

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {table.rows:,}" for name, table in self._stored.items())
        real = any(table.simulated < table.rows for table in self._stored.values())
        word = "" if not self.simulated else "partly SIMULATED, " if real else "SIMULATED, "
        return f"<Catalog: {word}{rows} rows, {self.path}>"

    @property
    def simulated(self) -> bool:
        """Whether any row of any table is of a scan that never was."""
        return any(table.simulated for table in self._stored.values())

    @property
    def tables(self) -> Table:
        """What there is: name, rows, how many of them simulated, what it is, made of what."""
        rows = [
            (name, one.rows, one.simulated, DESCRIPTIONS[name], ", ".join(one.sources))
            for name, one in self._stored.items()
        ]
        rows += [
            (name, len(found), 0, DESCRIPTIONS[name], "twomass_nb")
            for name, (_, found) in known_tables().items()
        ]
        return Table(rows=rows, names=("table", "rows", "simulated", "what", "sources"))

    @property
    def queries(self) -> Table:
        """The documented queries, for `ask`: name, what it answers, its parameters, SQL."""
        rows = [
            (name, query.what, ", ".join(query.parameters), query.sql.strip())
            for name, query in QUERIES.items()
        ]
        return Table(rows=rows, names=("query", "what", "parameters", "sql"))

    def describe(self, table: str | None = None) -> Table:
        """Return the columns of a table, or of all: table, column, type, unit, description."""
        from pyarrow import parquet

        said = {}
        for name, stored in self._stored.items():
            for field in parquet.read_schema(self.path / stored.file):
                meta = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
                said[name, field.name] = (meta.get("unit", ""), meta.get("description", ""))
        names = self.tables["table"].tolist()
        if table is not None and table not in names:
            raise TableError(self._no_table(table))
        columns = self._fetch(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
            "ORDER BY table_name, column_index",
            None,
        )
        rows = [
            (where, name, kind, *said.get((where, name), ("", "")))
            for where, name, kind in zip(*columns.values(), strict=True)
            if table in (None, where)
        ]
        return Table(rows=rows, names=("table", "column", "type", "unit", "description"))

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> Table:
        """Return the answer to a query.

        Parameters
        ----------
        query : str
            One SELECT of DuckDB's SQL.
        parameters : sequence or mapping, optional
            Values for ``?`` or ``$name`` in it; also numpy's, as cells of a table are.

        Returns
        -------
        `~astropy.table.Table`
            Dates as ISO text, as in all our tables; nulls masked. ``meta["sql"]`` is the query, and
            ``meta["SIMULATE"]`` is there if a table it asks has simulated rows.

        Raises
        ------
        TableError
            If it is not one SELECT, wrong, or asks for a table or a file that is not there.
        """
        duckdb = needed("duckdb")
        if not isinstance(query, str):
            msg = f"{query!r} is no SQL: give a SELECT as text"
            raise TableError(msg)
        try:
            statements = self._connection.extract_statements(query)
        except duckdb.Error as error:
            raise TableError(one_line(error)) from None
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            msg = "the catalogue answers one SELECT at a time, and changes nothing"
            raise TableError(msg)
        table = Table()
        for name, values in self._fetch(query, parameters).items():
            table[name] = as_column(values)
        table.meta["sql"] = query.strip()
        asked = set(re.findall(r"\w+", query.lower()))  # rather too many tables than too few
        if any(one.simulated for name, one in self._stored.items() if name in asked):
            table.meta["SIMULATE"] = True
        return table

    def ask(self, name: str, **parameters: Any) -> Table:
        """Return the answer to a documented query; see `queries`.

        Parameters
        ----------
        name : str
            As ``"repeats"``.
        **parameters
            What it takes, as ``tile=92397``.

        Raises
        ------
        TableError
            If there is no such query, a parameter is wrong, or no table it needs is there.
        """
        query = QUERIES.get(str(name))
        if query is None:
            msg = f"there is no query {name!r}: choose of {', '.join(QUERIES)}"
            raise TableError(msg)
        values = query.values(name, parameters)
        if query.needs and not any(table in self._stored for table in query.needs):
            raise TableError(self._no_table(query.needs[0]))
        return self.sql(query.sql, values or None)

    def _fetch(self, query: str, parameters: Any) -> dict[str, Any]:
        duckdb = needed("duckdb")
        try:
            # a cursor of its own, so that threads may ask at the same time
            cursor = self._connection.cursor().execute(query, plain_values(parameters))
            huge = [name for name, kind, *_ in cursor.description if str(kind) == "HUGEINT"]
            found: dict[str, Any] = cursor.fetchnumpy()
        except duckdb.Error as error:
            raise TableError(self._trouble(error)) from None
        for name in huge:  # sums of whole numbers, which come as floats
            found[name] = whole_numbers(found[name])
        return found

    def _trouble(self, error: Exception) -> str:
        """Return in one line what went wrong, and what to do about it."""
        if not all((self.path / table.file).exists() for table in self._stored.values()):
            return f"files of {self.path} are gone, since it was built anew: open it again"
        absent = next((t for t in _HOW if f"Table with name {t} does not" in str(error)), None)
        return self._no_table(absent) if absent else one_line(error)

    def _no_table(self, name: object) -> str:
        name = str(name)
        there = ", ".join(self.tables["table"])
        how = f": give {_HOW[name]}, to tm.catalog" if name in _HOW else ""
        return f"this catalogue has no table {name}{how}; it has {there}"
