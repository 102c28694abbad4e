"""The commands that take a file: ``info``, ``convert`` and ``fits``."""

from __future__ import annotations

import argparse
import re
import warnings
from pathlib import Path
from typing import Any

from ..errors import NotFoundError, TwomassError
from .words import add_command, print_found

__all__ = ["add_commands"]


def _info(args: argparse.Namespace) -> int:
    """Print what a file is."""
    path = Path(args.file)
    if not path.exists():
        msg = f"there is no file {args.file}"
        raise NotFoundError(msg)
    if path.is_dir():
        msg = f"{args.file} is a folder: name one file in it"
        raise NotFoundError(msg)
    found = {"file": path.name, **_DESCRIBE[_kind_of(path)](path)}
    print_found(found, args.json)
    return 0


def _kind_of(path: Path) -> str:
    """Return what a file is by its name, or by how it starts if the name is of no such kind."""
    from ..locate.storage import is_index
    from ..scan import FileName

    try:
        kind = FileName.parse(path.name).kind
    except TwomassError:
        kind = ""
    if kind in _DESCRIBE:
        return kind
    if path.name.lower().removesuffix(".gz").endswith((".rds", ".rdo")):
        return "raw"
    if is_index(path):
        return "index"
    with path.open("rb") as stream:
        start = stream.read(5760)
    if start.startswith(b"SIMPLE"):
        cards = b"\n".join(start[at : at + 80] for at in range(0, len(start), 80))
        kinds = ((b"\nRAWCUBE =", "cube"), (b"\nFRAME   =", "frame"), (b"\nNAXIS2  =", "atlas"))
        return next((kind for card, kind in kinds if card in cards), "table")
    if start.startswith((b"\x1f\x8b", b"BZh")):
        try:
            _describe_atlas(path)
        except TwomassError:
            return "table"
        return "atlas"
    return "table"


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

    log = read_lgo(path)
    return {
        "kind": "night log",
        "scans": len(log),
        "simulated": bool(log.meta.get("SIMULATE", False)),
    }


def _describe_directory(path: Path) -> dict[str, Any]:
    from ..tables import read_dir

    files = read_dir(path)
    simulated = bool(files.meta.get("SIMULATE", False))
    return {"kind": "night directory", "files": len(files), "simulated": simulated}


def _describe_frame(path: Path) -> dict[str, Any]:
    from astropy.io import fits

    header = fits.getheader(path)
    names = ("FN_PRFX", "FILTER", "FRAME", "READ", "EXPTIME", "LAYOUT")
    said = {name.lower(): header[name] for name in names if name in header}
    return {"kind": "raw frame", **said, "simulated": bool(header.get("SIMULATE", False))}


def _describe_cube(path: Path) -> dict[str, Any]:
    from astropy.io import fits

    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # of a cut file: "truncated" says it
        with fits.open(file) as hdus:
            header, end = hdus[0].header, hdus[-1].fileinfo()
            compressed = any(isinstance(hdu, fits.CompImageHDU) for hdu in hdus)
            whole = len(hdus) == 4 and path.stat().st_size >= end["datLoc"] + end["datSpan"]
    names = ("FN_PRFX", "FILTER", "FRAME1", "FRAME2", "NUMFRMS", "DATE-BEG", "LAYOUT")
    said = {name.lower(): header[name] for name in names if name in header}
    said |= {"compressed": compressed, "truncated": not whole}
    simulated = bool(header.get("SIMULATE", False))
    return {"kind": "raw cube", **said, "simulated": simulated}


def _describe_index(path: Path) -> dict[str, Any]:
    from ..locate import ScanLocator

    loc = ScanLocator.load(path)
    return {"kind": "scan index", "scans": len(loc), "simulated": loc.simulated}


def _describe_table(path: Path) -> dict[str, Any]:
    from ..tables import read_scan_table
    from ..tables.scan_table import is_simulated

    table = read_scan_table(path)
    return {
        "kind": "scan table",
        "rows": len(table),
        "columns": len(table.colnames),
        "simulated": is_simulated(table),
    }


_DESCRIBE = {
    "raw": _describe_raw,
    "par": _describe_par,
    "atlas": _describe_atlas,
    "log": _describe_log,
    "directory": _describe_directory,
    "frame": _describe_frame,
    "cube": _describe_cube,
    "index": _describe_index,
    "table": _describe_table,
}


def _layout_of(args: argparse.Namespace) -> Any:
    from ..raw import Layout

    return Layout(args.layout, high_first=not args.low_first) if args.layout else None


def _convert(args: argparse.Namespace) -> int:
    """Convert .rds to .rdo or back, or a FITS cube to either."""
    from ..raw import convert

    convert(args.src, args.dst, layout=_layout_of(args), overwrite=args.overwrite)
    return 0


def _fits(args: argparse.Namespace) -> int:
    """Write frames as FITS: three images of each, as raw2fits did, or one cube of all."""
    from ..raw import open_scan

    if args.compress and not args.cube:
        args.words.error("--compress goes with --cube")
    scan = open_scan(args.file, layout=_layout_of(args))
    frames = args.frames or range(scan.n_frames)
    scan.check_frame(frames[0]), scan.check_frame(frames[-1])
    out = Path(args.out)
    if out.exists() and not out.is_dir():
        msg = f"{args.out} is a file: name a folder to write to"
        raise NotFoundError(msg)
    out.mkdir(parents=True, exist_ok=True)
    if args.cube:
        print(scan.to_fits_cube(out, frames, compress=args.compress, overwrite=args.overwrite))
        return 0
    for i in frames:
        for read in ("r1", "r2", "r2-r1"):
            print(scan.to_fits(i, read, out, overwrite=args.overwrite))
    return 0


def _frames(text: str) -> range | None:
    """Return the frames that a word means; None for all."""
    if text == "all":
        return None
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    frames = range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
    if not frames:
        msg = f"{text!r} is none: give a frame as 220, some as 220-230, or 'all'"
        raise argparse.ArgumentTypeError(msg)
    return frames


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
    convert = add_command(commands, "convert", _convert, parents=[order])
    convert.add_argument("src", metavar="SRC", help=".rds, .rdo (or with .gz), or a FITS cube")
    convert.add_argument("dst", metavar="DST", help=".rds or .rdo, or these with .gz")
    images = add_command(commands, "fits", _fits, parents=[order])
    images.add_argument("file", metavar="FILE")
    images.add_argument(
        "frames", metavar="FRAMES", type=_frames, help="220, 220-230 or all; counted from 0"
    )
    images.add_argument("--out", metavar="DIR", default=".", help="folder to write to")
    images.add_argument("--cube", action="store_true", help="one file: r1, r2, table of frames")
    images.add_argument("--compress", action="store_true", help="the cube, without loss (RICE)")
    images.set_defaults(words=images)
    for added in (convert, images):
        added.add_argument("--overwrite", action="store_true", help="replace what is there")
