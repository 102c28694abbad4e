"""The commands that take a file: ``info``, ``convert``, ``fits`` and ``layout``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import NotFoundError, TwomassError
from .words import add_command, print_found

__all__ = ["add_commands"]


def _info(args: argparse.Namespace) -> int:
    """Print what a file is."""
    from ..scan import FileName

    path = Path(args.file)
    try:
        kind = FileName.parse(path.resolve()).kind
    except TwomassError:
        kind = "table"
    if not path.exists():
        msg = f"there is no file {args.file}"
        raise NotFoundError(msg)
    found = {"file": path.name, **_DESCRIBE.get(kind, _describe_table)(path)}
    print_found(found, args.json)
    return 0


def _describe_raw(path: Path) -> dict[str, Any]:
    from ..raw import open_scan

    scan = open_scan(path)
    return {
        "kind": "raw scan",
        "scan_id": str(scan.scan_id) if scan.scan_id else "not said by the name or its folder",
        "band": scan.band,
        "frames": scan.n_frames,
        "layout": str(scan.layout),
        "truncated": scan.truncated,
        "simulated": scan.simulated,
    }


def _describe_atlas(path: Path) -> dict[str, Any]:
    from ..atlas import AtlasImage

    image = AtlasImage.open(path)
    return {
        "kind": "Atlas Image",
        "scan_id": str(image.scan_id),
        "band": image.band,
        "coadd": image.coadd,
        "first_frame": int(image.first_frame),
        "last_frame": int(image.last_frame),
        "frame_step_arcsec": [
            round(float(step.to_value("arcsec")), 3) for step in image.frame_step
        ],
        "simulated": image.simulated,
    }


def _describe_par(path: Path) -> dict[str, Any]:
    from ..tables import read_par

    par = read_par(path)
    return {"kind": "scan parameters", "simulated": par.simulated, **dict(par)}


def _describe_log(path: Path) -> dict[str, Any]:
    from ..tables import read_lgo

    return {"kind": "night log", "scans": len(read_lgo(path))}


def _describe_table(path: Path) -> dict[str, Any]:
    """Describe a file whose name says nothing: an Atlas Image under another name, or a table."""
    with path.open("rb") as stream:
        start = stream.read(2880)
    if (start.startswith(b"SIMPLE") and b"NAXIS   =                    2" in start) or start[
        :2
    ] in (
        b"\x1f\x8b",
        b"BZ",
    ):
        try:
            return _describe_atlas(path)
        except TwomassError:
            if start.startswith(b"SIMPLE"):
                raise
    from ..tables import read_scan_table

    table = read_scan_table(path)
    return {"kind": "scan table", "rows": len(table), "columns": len(table.colnames)}


_DESCRIBE = {
    "raw": _describe_raw,
    "par": _describe_par,
    "atlas": _describe_atlas,
    "log": _describe_log,
}


def _layout_of(args: argparse.Namespace) -> Any:
    from ..raw import Layout

    return Layout(args.layout, high_first=not args.low_first) if args.layout else None


def _convert(args: argparse.Namespace) -> int:
    """Convert .rds to .rdo or back."""
    from ..raw import convert

    convert(args.src, args.dst, layout=_layout_of(args), overwrite=args.overwrite)
    return 0


def _fits(args: argparse.Namespace) -> int:
    """Write the reads of a frame as FITS images, as raw2fits did."""
    from ..raw import open_scan

    scan = open_scan(args.file, layout=_layout_of(args))
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    for read in ("r1", "r2", "r2-r1"):
        print(scan.to_fits(args.frame, read, out, overwrite=args.overwrite))
    return 0


def _layout_learn(args: argparse.Namespace) -> int:
    """Print the word order that a pair of files shows."""
    from ..raw import learn_layout

    print(learn_layout(args.rds, args.rdo))
    return 0


def _layout_detect(args: argparse.Namespace) -> int:
    """Print the word order that one file's content shows."""
    from ..raw import detect_layout

    layout, confidence = detect_layout(args.file)
    print(f"{layout}  confidence {confidence:.3f}")
    return 0


def add_commands(commands: Any) -> None:
    """Add them to the parser."""
    info = add_command(commands, "info", _info)
    info.add_argument("file", metavar="FILE")
    info.add_argument("--json", action="store_true", help="print JSON")

    order = argparse.ArgumentParser(add_help=False)
    order.add_argument(
        "--layout", metavar="ORDER", help="word order of the .rds, as 'f r b Y y X x'"
    )
    order.add_argument("--low-first", action="store_true", help="with --layout: low byte first")
    for name, function in (("convert", _convert), ("fits", _fits)):
        added = add_command(commands, name, function, parents=[order])
        added.add_argument("--overwrite", action="store_true", help="replace what is there")
        if function is _convert:
            added.add_argument("src", metavar="SRC")
            added.add_argument("dst", metavar="DST")
        else:
            added.add_argument("file", metavar="FILE")
            added.add_argument("frame", metavar="FRAME", type=int, help="counted from 0")
            added.add_argument("--out", metavar="DIR", default=".", help="folder to write to")

    layout = commands.add_parser("layout", help="Find the word order of a raw file.")
    ways = layout.add_subparsers(required=True, metavar="WAY")
    learn = add_command(ways, "learn", _layout_learn)
    learn.add_argument("rds", metavar="RDS")
    learn.add_argument("rdo", metavar="RDO")
    add_command(ways, "detect", _layout_detect).add_argument("file", metavar="FILE")
