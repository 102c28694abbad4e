"""The ``twomass-nb`` command: words in, the same public functions called, a clear line out."""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import shutil
import signal
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from . import __version__
from .errors import NotFoundError, TwomassError, TwomassWarning

__all__ = ["main"]

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
    from .archive.places import known_scan_table
    from .locate import ScanLocator
    from .locate.storage import is_index
    from .tables import read_scan_table

    if args.simulated:
        from .simulate import scan_table

        print(
            "twomass-nb: SIMULATED scan table: the survey's tiling, no real scans", file=sys.stderr
        )
        return ScanLocator(scan_table()), "simulated"
    path = Path(args.table) if args.table else known_scan_table()
    loc = ScanLocator.load(path) if is_index(path) else ScanLocator(read_scan_table(path))
    if is_index(path) and loc.simulated:
        print(f"twomass-nb: SIMULATED scans in {path}", file=sys.stderr)
    return loc, str(path)


def _locate_position(args: argparse.Namespace) -> int:
    from astropy import units as u

    from .locate.position import parse_position

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
    from .locate.catalog import locate_catalog

    loc, _ = _locator(args)
    columns = (args.ra or "ra", args.dec or "dec") if args.ra or args.dec else None
    positions, rows = locate_catalog(
        loc, args.catalog, args.out, args.margin, columns, args.keep, args.overwrite
    )
    print(f"{args.out}: {rows:,} rows for {positions:,} positions")
    return 0


def _index_build(args: argparse.Namespace) -> int:
    """Build an index of scans, which loads in milliseconds, and write it to a file."""
    from .files import refuse_existing
    from .locate import ScanLocator
    from .tables import read_lgo, read_raw_scans, read_scan_table

    refuse_existing(Path(args.out), args.overwrite)
    if args.simulated:
        from .simulate import scan_table

        scans = scan_table(args.simulated)
    elif args.table:
        scans = read_scan_table(args.table)
    else:
        from .archive.places import known_scan_table

        scans = read_scan_table(known_scan_table())
    raw = read_raw_scans(args.raw) if args.raw else None
    loc = ScanLocator(scans, raw_scans=raw, lgo=[read_lgo(path) for path in args.lgo] or None)
    loc.save(args.out)
    print(f"{args.out}: {loc.source}")
    return 0


def _index_info(args: argparse.Namespace) -> int:
    """Print what an index holds, having compared its checksums."""
    import numpy as np

    from .locate import ScanLocator
    from .locate.assemble import sources

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
    _print_found(found, args.json)
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


def _info(args: argparse.Namespace) -> int:
    """Print what a file is."""
    from .scan import FileName

    path = Path(args.file)
    try:
        kind = FileName.parse(path.resolve()).kind
    except TwomassError:
        kind = "table"
    if not path.exists():
        msg = f"there is no file {args.file}"
        raise NotFoundError(msg)
    found = {"file": path.name, **_DESCRIBE.get(kind, _describe_table)(path)}
    _print_found(found, args.json)
    return 0


def _print_found(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=1, default=str))
        return
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")


def _describe_raw(path: Path) -> dict[str, Any]:
    from .raw import open_scan

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
    from .atlas import AtlasImage

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
    from .tables import read_par

    par = read_par(path)
    return {"kind": "scan parameters", "simulated": par.simulated, **dict(par)}


def _describe_log(path: Path) -> dict[str, Any]:
    from .tables import read_lgo

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
    from .tables import read_scan_table

    table = read_scan_table(path)
    return {"kind": "scan table", "rows": len(table), "columns": len(table.colnames)}


_DESCRIBE = {
    "raw": _describe_raw,
    "par": _describe_par,
    "atlas": _describe_atlas,
    "log": _describe_log,
}


def _layout_of(args: argparse.Namespace) -> Any:
    from .raw import Layout

    return Layout(args.layout, high_first=not args.low_first) if args.layout else None


def _convert(args: argparse.Namespace) -> int:
    """Convert .rds to .rdo or back."""
    from .raw import convert

    convert(args.src, args.dst, layout=_layout_of(args), overwrite=args.overwrite)
    return 0


def _fits(args: argparse.Namespace) -> int:
    """Write the reads of a frame as FITS images, as raw2fits did."""
    from .raw import open_scan

    scan = open_scan(args.file, layout=_layout_of(args))
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    for read in ("r1", "r2", "r2-r1"):
        print(scan.to_fits(args.frame, read, out, overwrite=args.overwrite))
    return 0


def _layout_learn(args: argparse.Namespace) -> int:
    """Print the word order that a pair of files shows."""
    from .raw import learn_layout

    print(learn_layout(args.rds, args.rdo))
    return 0


def _layout_detect(args: argparse.Namespace) -> int:
    """Print the word order that one file's content shows."""
    from .raw import detect_layout

    layout, confidence = detect_layout(args.file)
    print(f"{layout}  confidence {confidence:.3f}")
    return 0


def _sample(args: argparse.Namespace) -> int:
    """Write the simulated sample scan."""
    from .archive import sample

    print(sample("scan63", folder=args.dir, short=args.short))
    return 0


def _lab(args: argparse.Namespace) -> int:
    """Open JupyterLab on the examples; words after -- go to JupyterLab."""
    if importlib.util.find_spec("jupyterlab") is None:
        msg = "JupyterLab is not installed: pip install 'twomass_nb[lab]'"
        raise NotFoundError(msg)
    folder = _examples(args.dir)
    first = min(folder.glob("*.ipynb")).name
    command = [sys.executable, "-m", "jupyterlab", first, *args.lab_args]
    # Ctrl-C is for JupyterLab, which asks before it ends its kernels.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(command, cwd=folder, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _examples(target: str | None) -> Path:
    """Return the folder of the examples: a clone's own, or copies that keep a person's changes."""
    package = Path(__file__).parent
    clone, shipped = package.parent / "examples", package / "examples"
    source = clone if clone.is_dir() else shipped
    if source == clone and target is None:
        return clone
    folder = Path(target or "twomass_nb-examples")
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in source.glob("*.ipynb"):
        if not (folder / notebook.name).exists():
            shutil.copy(notebook, folder)
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twomass-nb", description="Find and open the raw frames of 2MASS."
    )
    parser.add_argument("--version", action="version", version=f"twomass-nb {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Any, group: Any = commands) -> argparse.ArgumentParser:
        added = group.add_parser(name, help=function.__doc__, description=function.__doc__)
        added.set_defaults(run=function)
        # argparse takes "-16:14:49" for an option; a declination is none.
        added._negative_number_matcher = re.compile(r"^-\.?\d.*$")  # noqa: SLF001
        return added

    locate = command("locate", _locate)
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
    build = command("build", _index_build, ways)
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
    told = command("info", _index_info, ways)
    told.add_argument("file", metavar="INDEX")
    told.add_argument("--json", action="store_true", help="print JSON")

    info = command("info", _info)
    info.add_argument("file", metavar="FILE")
    info.add_argument("--json", action="store_true", help="print JSON")

    order = argparse.ArgumentParser(add_help=False)
    order.add_argument(
        "--layout", metavar="ORDER", help="word order of the .rds, as 'f r b Y y X x'"
    )
    order.add_argument("--low-first", action="store_true", help="with --layout: low byte first")
    for name, function in (("convert", _convert), ("fits", _fits)):
        added = commands.add_parser(
            name, help=function.__doc__, description=function.__doc__, parents=[order]
        )
        added.set_defaults(run=function)
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
    learn = command("learn", _layout_learn, ways)
    learn.add_argument("rds", metavar="RDS")
    learn.add_argument("rdo", metavar="RDO")
    command("detect", _layout_detect, ways).add_argument("file", metavar="FILE")

    sample = command("sample", _sample)
    sample.add_argument("dir", metavar="DIR", nargs="?", help="folder; the cache if not given")
    sample.add_argument("--short", action="store_true", help="about 40 frames, in seconds")

    lab = command("lab", _lab)
    lab.add_argument("dir", metavar="DIR", nargs="?", help="folder for copies of the examples")
    return parser


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, TwomassWarning):
        print(f"twomass-nb: warning: {message}", file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : list of str, optional
        The words after the command's name; those of the process if not given.

    Returns
    -------
    int
        0 done, 1 the question has no answer or the data is bad; wrong words exit with 2.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    # What follows "--" is for JupyterLab; argparse would take it for our own words.
    end = words.index("--") if "lab" in words[:2] and "--" in words else len(words)
    args = _parser().parse_args(words[:end])
    args.lab_args = words[end + 1 :]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return args.run(args)
    except (TwomassError, OSError) as error:
        if args.debug:
            traceback.print_exc()
        print(f"twomass-nb: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("twomass-nb: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
