"""The command ``fetch``: a scan's files, or the scan table, brought to this machine."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .words import add_command

__all__ = ["add_commands"]


def _fetch(args: argparse.Namespace) -> int:
    """Print where the files of a scan are, fetched if they are not here yet."""
    from ..archive import fetch

    if args.what == "tables" and (args.scan or args.band):
        args.words.error("tables are of the whole survey: give no SCAN and no --band")
    if args.what != "tables" and not args.scan:
        args.words.error(f"say which SCAN to fetch the {args.what} files of, as 000529s063")
    paths = fetch(args.scan, args.band, args.what)
    if args.json:
        said = {"scan": args.scan, "what": args.what, "files": [str(path) for path in paths]}
        print(json.dumps(said, indent=1))
    else:
        print("\n".join(map(str, paths)))
    return 0


def add_commands(commands: Any) -> None:
    """Add them to the parser."""
    fetch = add_command(commands, "fetch", _fetch)
    fetch.add_argument("scan", metavar="SCAN", nargs="?", help="as 000529s063")
    fetch.add_argument("--band", choices=("j", "h", "k"), help="all three if not given")
    fetch.add_argument(
        "--what",
        choices=("raw", "atlas", "tables"),
        default="raw",
        help="raw files (default), Atlas Images, or the survey's scan table",
    )
    fetch.add_argument("--json", action="store_true", help="print JSON")
    fetch.set_defaults(words=fetch)
