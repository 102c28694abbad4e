"""The command ``reduce``: a scan or a night, from its raw files to coadds and lists of sources."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .words import add_command

__all__ = ["add_commands"]


def _reduce(args: argparse.Namespace) -> int:
    """Reduce a scan or a night: calibrated frames, coadds, source lists, quality figures, log."""
    from ..reduce import reduce_night, reduce_scan
    from ..reduce.workers import cores

    workers = args.workers
    if workers is None:
        workers = 1 if args.scheduler else cores()
    options = {
        "bands": args.bands, "nights": args.nights, "frames": args.frames,
        "compare": args.compare, "scheduler": args.scheduler, "workers": workers,
        "overwrite": args.overwrite, "catalog": args.catalog,
    }  # fmt: skip
    if args.kernel is not None:
        options["kernel"] = args.kernel
    if Path(args.what).is_dir():
        scans = None if args.scans is None else sorted(set(args.scans))
        done = reduce_night(args.what, args.out, night=args.night, scans=scans, **options)
    else:
        if args.scans is not None or args.night is not None:
            args.words.error("--scans and --night go with the folder of a night")
        done = reduce_scan(args.what, args.out, **options)
    print(json.dumps(done.as_dict(), indent=1) if args.json else done.summary)
    done.require_ok()
    return 0


def _numbers(text: str) -> list[int]:
    """Return the scans that words as ``63,70-72`` mean."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        try:
            some = range(int(first), int(last or first) + 1)
        except ValueError:
            some = range(0)
        if not some:
            msg = f"{part.strip()!r} is no scan and no range of scans: write 63 or 70-72"
            raise argparse.ArgumentTypeError(msg)
        numbers += some
    return numbers


def add_commands(commands: Any) -> None:
    """Add it to the parser."""
    added = add_command(commands, "reduce", _reduce)
    added.add_argument(
        "what", metavar="SCAN|NIGHT",
        help="a scan as 000529s063, one raw file (its band alone), or a night's folder",
    )  # fmt: skip
    added.add_argument(
        "--out", metavar="DIR", default="reduced",
        help="where the night's folder goes; what is there is carried on (default: reduced)",
    )  # fmt: skip
    added.add_argument("--bands", metavar="BANDS", help="as jhk; those there are if not given")
    added.add_argument(
        "--scans", metavar="N,N-N", type=_numbers, help="of a night, only these, of any type"
    )
    added.add_argument("--night", metavar="NIGHT", help="which night of a tape's folder: 000529s")
    added.add_argument(
        "--nights", metavar="DIR", nargs="+",
        help="where to look for darks and twilights; the night's own disk if not given",
    )  # fmt: skip
    added.add_argument(
        "--workers", metavar="N", type=int, help="processes; as many as cores if not given"
    )
    added.add_argument(
        "--scheduler", metavar="ADDRESS", help="let the workers of this Dask scheduler do the work"
    )
    added.add_argument(
        "--frames", action=argparse.BooleanOptionalAction, default=True,
        help="write the calibrated frames, too: 160 MB a band of a scan (default: yes)",
    )  # fmt: skip
    added.add_argument(
        "--compare", action="store_true",
        help="write reports on the survey's images that lie beside the raw files",
    )  # fmt: skip
    added.add_argument(
        "--catalog", metavar="FILE",
        help="stars (ra, dec, j_m, h_m, k_m) that positions and magnitudes are tied to",
    )  # fmt: skip
    added.add_argument("--kernel", help="how coadds are made: see docs/coadding.md")
    added.add_argument("--overwrite", action="store_true", help="make all anew")
    added.add_argument("--json", action="store_true", help="print what was made as JSON")
    added.set_defaults(words=added)
