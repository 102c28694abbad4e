"""The command ``catalog``: the archive's tables as SQL."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np

from ..errors import NotFoundError, TableError
from .words import add_command, print_found

__all__ = ["add_commands"]

_FEWEST = 1000  # that nights, tapes and disks are filled with
_TABLES = ("scans", "raw_scans", "lgo", "inventory")


def _build(args: argparse.Namespace) -> int:
    """Make a catalogue of the tables that are named, or of those found on this machine."""
    from ..tables import catalog

    given = {name: getattr(args, name) or None for name in _TABLES}
    if args.simulated is not None:
        from ..simulate.inventory import raw_archive

        if any(given.values()):
            msg = "--simulated makes all tables: give no others"
            raise TableError(msg)
        if args.simulated < _FEWEST:
            msg = f"a simulated archive of {args.simulated} scans makes no sense: {_FEWEST} or more"
            raise TableError(msg)
        given = vars(raw_archive(args.simulated))
    made = catalog(**given, path=args.path, overwrite=args.overwrite)
    _say_if_simulated(made)
    _print_rows(made.tables["table", "rows", "simulated", "what"], "text")
    print(made.path)
    return 0


def _sql(args: argparse.Namespace) -> int:
    """Print the answer to a SELECT, or to a documented query (see ``catalog info``)."""
    from ..tables import catalog
    from ..tables.sql import QUERIES

    opened = catalog(path=args.catalog)
    query = " ".join(args.query[:1])
    if query.isidentifier() or query in QUERIES:
        answer = opened.ask(query, **_parameters(args.query[1:]))
    elif len(args.query) > 1:
        msg = "the query is more than one word of the shell: put it into quotes"
        raise TableError(msg)
    else:
        answer = opened.sql(query)
    if answer.meta.get("SIMULATE"):
        _say_if_simulated(opened)
    _print_rows(answer, args.format)
    if not len(answer):
        msg = "no row answers this query"
        raise NotFoundError(msg)
    return 0


def _parameters(words: list[str]) -> dict[str, Any]:
    """Return ``tile=92397`` as a parameter: a number where it is one."""
    values: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            msg = f"{word!r} is no parameter: write name=value, or put a SELECT into quotes"
            raise TableError(msg)
        values[name] = int(value) if value.lstrip("-").isdigit() else value
    return values


def _info(args: argparse.Namespace) -> int:
    """Print the tables of a catalogue and the documented queries."""
    from ..tables import catalog

    opened = catalog(path=args.catalog)
    if args.json:
        found = {
            "path": str(opened.path),
            "simulated": opened.simulated,
            **{name: _plain(getattr(opened, name)) for name in ("tables", "queries")},
            "columns": _plain(opened.describe()),
        }
        print_found(found, True)
        return 0
    _say_if_simulated(opened)
    print(opened.path)
    _print_rows(opened.tables["table", "rows", "simulated", "what"], "text")
    for row in opened.queries:
        print(f"\n-- {row['query']}{' ' if row['parameters'] else ''}{row['parameters']}: "
              f"{row['what']}\n{row['sql']}")  # fmt: skip
    return 0


def _say_if_simulated(opened: Any) -> None:
    if opened.simulated:
        print(f"twomass-nb: SIMULATED scans in {opened.path}", file=sys.stderr)


def _plain(table: Any) -> list[dict[str, Any]]:
    """Return rows as what JSON knows; null where masked."""
    columns = {
        name: [None if bad else value for value, bad in zip(
            np.ma.asarray(table[name]).filled().tolist(),
            np.ma.getmaskarray(np.ma.asarray(table[name])).tolist(), strict=True)]
        for name in table.colnames
    }  # fmt: skip
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _print_rows(table: Any, form: str) -> None:
    if form == "json":
        print(json.dumps(_plain(table), indent=1, default=str))
    elif form == "csv":
        table.write(sys.stdout, format="ascii.csv")
    elif len(table):
        print("\n".join(table.pformat(max_lines=-1, max_width=-1, align="<")))


def add_commands(commands: Any) -> None:
    """Add them to the parser."""
    catalog = commands.add_parser("catalog", help="Ask the archive's tables in SQL.")
    ways = catalog.add_subparsers(required=True, metavar="WAY")

    build = add_command(ways, "build", _build)
    build.add_argument("path", metavar="FOLDER", nargs="?", help="where to keep it (the cache)")
    for name in _TABLES:
        build.add_argument(
            f"--{name.replace('_', '-')}", metavar="FILE", action="append", default=[],
            help="file with this table; may be repeated",
        )  # fmt: skip
    build.add_argument(
        "--simulated", metavar="N", nargs="?", type=int, const=205_071,
        help="simulated tables of the archive, with so many raw scans (205071)",
    )  # fmt: skip
    build.add_argument("--overwrite", action="store_true", help="replace what is there")

    sql = add_command(ways, "sql", _sql)
    sql.add_argument(
        "query", metavar="QUERY", nargs="+",
        help="a SELECT in quotes, or the name of a documented query and its name=value",
    )  # fmt: skip
    sql.add_argument("--format", choices=("text", "csv", "json"), default="text")

    info = add_command(ways, "info", _info)
    info.add_argument("--json", action="store_true", help="print JSON")
    for way in (sql, info):
        way.add_argument("--catalog", metavar="FOLDER", help="a catalogue that was built there")
