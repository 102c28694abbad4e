"""The command ``cache``: what is kept on this machine, how much, and what of it may go."""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

from .. import cache
from ..errors import TwomassWarning
from .words import add_command

__all__ = ["add_commands"]


def _told(args: argparse.Namespace, found: Any, lines: list[str]) -> int:
    print(json.dumps(found, indent=1) if args.json else "\n".join(lines))
    return 0


def _rows(table: Any) -> list[dict[str, Any]]:
    return [{name: row[name].item() for name in table.colnames} for row in table]


def _size(n_bytes: int) -> str:
    unit = min(max(len(str(n_bytes)) - 1, 0) // 3, 4)
    number = f"{n_bytes / 1000**unit:.1f}" if unit else str(n_bytes)
    return f"{number} {('bytes', 'kB', 'MB', 'GB', 'TB')[unit]}"


def _info(args: argparse.Namespace) -> int:
    """Print where the cache is, its limit, and how much of what is in it."""
    kinds = _rows(cache.usage())
    used = sum(kind["bytes"] for kind in kinds if kind["disposable"])
    limit = cache.cache_limit()
    found = {"folder": str(cache.cache_folder()), "limit": limit, "used": used, "kinds": kinds}
    lines = [f"{cache.cache_folder()}: {_size(used)} of {_size(limit)} in use"]
    for kind in kinds:
        fate = "the least recently used go at the limit" if kind["disposable"] else "stays"
        lines.append(
            f"{kind['kind']:<10}{kind['files']:>8} files {_size(kind['bytes']):>11}  {fate}"
        )
    return _told(args, found, lines)


def _list(args: argparse.Namespace) -> int:
    """Print the files in the cache, the longest unused first."""
    rows = _rows(cache.contents())
    lines = []
    for row in rows:
        line = f"{row['used']}  {_size(row['bytes']):>11}  {row['kind']}/{row['file']}"
        lines.append(f"{line}  {row['from']}".rstrip())
    return _told(args, rows, lines or ["the cache is empty"])


def _clear(args: argparse.Namespace) -> int:
    """Remove all of a kind from the cache: it can be made or fetched again."""
    freed = {kind: cache.clear(kind) for kind in args.kind}
    return _told(args, freed, [f"{kind}: {_size(n)} free now" for kind, n in freed.items()])


def _limit(args: argparse.Namespace) -> int:
    """Print the limit of the cache, and drop now what is beyond it."""
    limit = cache.bytes_of(args.size, "SIZE") if args.size else cache.cache_limit()
    before = sum(row["bytes"] for row in _rows(cache.usage()) if row["disposable"])
    cache.make_room(0, limit=limit)
    used = sum(row["bytes"] for row in _rows(cache.usage()) if row["disposable"])
    lines = [f"{_size(used)} of {_size(limit)} in use, {_size(before - used)} dropped"]
    if args.size:
        lines.append("to keep it so, set TWOMASS_NB_CACHE_SIZE")
    return _told(args, {"limit": limit, "used": used, "dropped": before - used}, lines)


def _verify(args: argparse.Namespace) -> int:
    """Check that fetched files are still what was fetched; drop those that are not."""
    damaged, right, others = [], 0, 0
    for row in _rows(cache.contents()):
        path = cache.cache_folder() / row["kind"] / row["file"]
        if cache.origin(path) is None:
            others += 1
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TwomassWarning)  # it is told below
            if cache.verified(path, used=False):
                right += 1
            else:
                damaged.append(f"{row['kind']}/{row['file']}")
    found = {"right": right, "damaged": damaged, "others": others}
    lines = [f"{name} was damaged and is dropped" for name in damaged]
    lines.append(f"{right} fetched files are right; nothing is known of {others} others")
    _told(args, found, lines)
    return 1 if damaged else 0


def add_commands(commands: Any) -> None:
    """Add them to the parser."""
    group = commands.add_parser("cache", help="See what is kept on this machine, and steer it.")
    group.set_defaults(run=_info, json=False)
    ways = group.add_subparsers(metavar="WAY")
    added = {
        name: add_command(ways, name, function)
        for name, function in (
            ("info", _info), ("list", _list), ("clear", _clear), ("limit", _limit),
            ("verify", _verify),
        )
    }  # fmt: skip
    added["clear"].add_argument("kind", metavar="KIND", nargs="+", help="as archive, or frames")
    added["limit"].add_argument(
        "size", metavar="SIZE", nargs="?", help="as '5 GB', this once; TWOMASS_NB_CACHE_SIZE if not"
    )
    for parser in (group, *added.values()):
        parser.add_argument("--json", action="store_true", help="print JSON")
