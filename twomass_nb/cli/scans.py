"""The commands that ask for scans: ``locate`` and ``index``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ..errors import NotFoundError
from .words import add_command, print_found

__all__ = ["add_commands"]

_COLUMNS = (
    "scan_id",
    "sd",
    "source",
    "dist_edge_ew",
    "dist_edge_ns",
    "first_frame",
    "last_frame",
    "best_frame",
    "x",
    "y",
)


def _locate(args: argparse.Namespace) -> int:
    """Print the scans that cover a position, or write those of a whole catalogue."""
    if bool(args.position) == bool(args.catalog):
        args.words.error("give one position, or --catalog FILE with --out FILE")
    if bool(args.catalog) != bool(args.out):
        args.words.error("--catalog FILE and --out FILE go together")
    return _locate_catalog(args) if args.catalog else _locate_position(args)


def _locator(args: argparse.Namespace) -> tuple[Any, str]:
    """Return the locator that the words name, and where its scans are from."""
    from ..archive.places import known_scan_table
    from ..locate import ScanLocator
    from ..locate.storage import is_index
    from ..tables import read_scan_table

    if args.simulated:
        from ..simulate import scan_table

        print(
            "twomass-nb: SIMULATED scan table: the survey's tiling, not its scans", file=sys.stderr
        )
        return ScanLocator(scan_table()), "simulated"
    path = Path(args.table) if args.table else known_scan_table()
    loc = ScanLocator.load(path) if is_index(path) else ScanLocator(read_scan_table(path))
    if loc.simulated:
        print(f"twomass-nb: SIMULATED scans in {path}", file=sys.stderr)
    return loc, str(path)


def _locate_position(args: argparse.Namespace) -> int:
    from astropy import units as u

    from ..locate.position import parse_position

    coord = parse_position(" ".join(args.position))
    loc, source = _locator(args)
    found = loc.covering(coord, margin=args.margin * u.arcsec)
    if args.json:
        answer = {
            "position": {"ra": coord.ra.deg, "dec": coord.dec.deg},
            "table": {"source": source, "rows": len(loc)},
            "scans": [_plain_row(row) for row in found],
        }
        print(json.dumps(answer, indent=1))
    elif len(found):
        shown = found[[name for name in _COLUMNS if name in found.colnames]]
        for name in ("dist_edge_ew", "dist_edge_ns", "x", "y"):
            shown[name].info.format = ".1f"
        print(
            f"{coord.to_string('hmsdms', precision=1)}: {len(found)} of {len(loc)} scans cover it"
        )
        print("\n".join(shown.pformat(max_lines=-1, max_width=-1)))
        print(
            "distances in arcsec, positive inside (true edges wander by 2, rarely 8); frames count "
            "from 0; x, y in J of best_frame"
        )
    if not len(found):
        msg = f"none of {len(loc)} scans covers {coord.to_string('decimal', precision=5)}"
        raise NotFoundError(msg + ": try --margin, or another table")
    return 0


def _locate_catalog(args: argparse.Namespace) -> int:
    from ..locate.catalog import locate_catalog

    loc, _ = _locator(args)
    columns = (args.ra or "ra", args.dec or "dec") if args.ra or args.dec else None
    positions, rows = locate_catalog(
        loc, args.catalog, args.out, args.margin, columns, args.keep, args.overwrite
    )
    print(f"{args.out}: {rows:,} rows for {positions:,} positions")
    return 0


def _index_build(args: argparse.Namespace) -> int:
    """Build an index of scans, which loads in milliseconds, and write it to a file."""
    from ..files import refuse_existing
    from ..locate import ScanLocator
    from ..tables import read_lgo, read_raw_scans, read_scan_table

    refuse_existing(Path(args.out), args.overwrite)
    if args.simulated is not None:
        from ..simulate import scan_table

        scans = scan_table(args.simulated)
    elif args.table:
        scans = read_scan_table(args.table)
    else:
        from ..archive.places import known_scan_table

        scans = read_scan_table(known_scan_table())
    raw = read_raw_scans(args.raw) if args.raw else None
    loc = ScanLocator(scans, raw_scans=raw, lgo=[read_lgo(path) for path in args.lgo] or None)
    loc.save(args.out)
    print(f"{args.out}: {loc.source}")
    return 0


def _index_info(args: argparse.Namespace) -> int:
    """Print what an index holds, having compared its checksums."""
    import numpy as np

    from ..locate import ScanLocator
    from ..locate.assemble import sources

    loc = ScanLocator.load(args.file)
    kinds, counts = np.unique(sources(loc.table), return_counts=True)
    dates = loc.table["date"].tolist()
    found = {
        "file": str(args.file),
        "kind": "scan index",
        "scans": len(loc),
        "sources": dict(zip(kinds.tolist(), counts.tolist(), strict=True)),
        "without_footprint": len(loc.unplaced),
        "nights": [min(dates), max(dates)],
        "columns": loc.table.colnames,
        "bytes": Path(args.file).stat().st_size,
        "simulated": loc.simulated,
    }
    print_found(found, args.json)
    return 0


def _plain_row(row: Any) -> dict[str, Any]:
    """Return a table row as what JSON knows; what is missing or not a number is null."""
    import numpy as np

    plain: dict[str, Any] = {}
    for name in row.colnames:
        value = row[name]
        value = getattr(value, "value", value)
        if value is np.ma.masked or (
            isinstance(value, float | np.floating) and not np.isfinite(value)
        ):
            plain[name] = None
        elif isinstance(value, np.generic):
            plain[name] = value.item()
        else:
            plain[name] = value if isinstance(value, int | float | bool) else str(value)
    return plain


def add_commands(commands: Any) -> None:
    """Add them to the parser."""
    locate = add_command(commands, "locate", _locate)
    locate.add_argument(
        "position",
        nargs="*",
        metavar="POSITION",
        help="degrees '274.99 -16.25', or '18:19:59.8 -16:14:49'",
    )
    locate.add_argument(
        "--margin",
        type=float,
        default=0.0,
        metavar="ARCSEC",
        help="count scans whose edge is this near; negative: this far inside",
    )
    which = locate.add_mutually_exclusive_group()
    which.add_argument("--table", metavar="FILE", help="the scan table (twomass_scn), or an index")
    which.add_argument("--simulated", action="store_true", help="use the simulated scan table")
    locate.add_argument("--json", action="store_true", help="print JSON")
    many = locate.add_argument_group("a whole catalogue")
    many.add_argument("--catalog", metavar="FILE", help="CSV, VOTable or Parquet with positions")
    many.add_argument("--out", metavar="FILE", help=".csv, .parquet or .vot to write")
    many.add_argument("--ra", metavar="NAME", help="column with RA, degrees")
    many.add_argument("--dec", metavar="NAME", help="column with Dec, degrees")
    many.add_argument(
        "--keep",
        metavar="NAME",
        action="append",
        default=[],
        help="column to copy; repeatable",
    )
    many.add_argument("--overwrite", action="store_true", help="replace what is there")
    locate.set_defaults(words=locate)

    index = commands.add_parser("index", help="Build an index of scans, or look into one.")
    ways = index.add_subparsers(required=True, metavar="WAY")
    build = add_command(ways, "build", _index_build)
    build.add_argument("out", metavar="INDEX")
    which = build.add_mutually_exclusive_group()
    which.add_argument("--table", metavar="FILE", help="the scan table (twomass_scn)")
    which.add_argument(
        "--simulated",
        metavar="N",
        nargs="?",
        type=int,
        const=59731,
        help="simulated scans: 59731, or so many (205071 for the raw archive's)",
    )
    build.add_argument("--raw", metavar="FILE", help="raw scan table to join")
    build.add_argument(
        "--lgo", metavar="FILE", action="append", default=[], help="night log; may be repeated"
    )
    build.add_argument("--overwrite", action="store_true", help="replace what is there")
    told = add_command(ways, "info", _index_info)
    told.add_argument("file", metavar="INDEX")
    told.add_argument("--json", action="store_true", help="print JSON")
