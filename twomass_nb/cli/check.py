"""The command ``check``: the integrity of a file, a night, a tape or a disk."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import TwomassError
from ..files import refuse_existing
from .words import add_command

if TYPE_CHECKING:
    from ..night import CheckReport

__all__ = ["add_commands"]


def _check(args: argparse.Namespace) -> int:
    """Check files of the archive: gzip, frames, word order, pixels, names, tables."""
    from ..night import check
    from ..night.checking import outside

    target = None
    if args.report is not None:
        target = outside(Path(args.report), Path(args.path))
        if not _unfinished(target):
            refuse_existing(target, args.overwrite)  # now, not after hours of reading
    report = check(args.path, quick=args.quick, journal=args.resume, raw_scans=args.raw_scans)
    if target is not None:
        report.to_json(target, overwrite=True)
    print(json.dumps(report.as_dict(), indent=1) if args.json else report.summary)
    if not report.finished:
        raise KeyboardInterrupt
    return 0 if report.ok else 1


def _unfinished(path: Path) -> bool:
    """Whether a file is the report of a check that was stopped."""
    from ..night import CheckReport

    report: CheckReport
    try:
        report = CheckReport.from_json(path)
    except TwomassError:
        return False
    return not report.finished


def add_commands(commands: Any) -> None:
    """Add it to the parser."""
    added = add_command(commands, "check", _check)
    added.add_argument("path", metavar="PATH", help="a file, a night, a tape's folder or a disk")
    added.add_argument("--json", action="store_true", help="print the whole report as JSON")
    added.add_argument("--report", metavar="FILE", help="write the whole report to FILE, as JSON")
    added.add_argument("--overwrite", action="store_true", help="replace a report that is there")
    added.add_argument(
        "--resume", metavar="FILE", help="journal: carry on from it, and keep it as files are read"
    )
    added.add_argument(
        "--raw-scans", metavar="FILE", help="compare with the raw scan table in this file"
    )
    added.add_argument("--quick", action="store_true", help="look at names, sizes and tables only")
