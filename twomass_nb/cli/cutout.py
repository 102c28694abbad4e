"""The command that cuts a square of sky out of Atlas Images: ``cutout``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .words import add_command

__all__ = ["add_commands"]


def _cutout(args: argparse.Namespace) -> int:
    """Cut a square of sky out of the Atlas Images, in J, H and Ks on one grid."""
    from ..archive.cutouts import cutout
    from ..files import refuse_existing, whole_file

    if not (args.out or args.png):
        args.words.error("say where it goes: --out FILE.fits, --png FILE.png, or both")
    for path in filter(None, (args.out, args.png)):
        refuse_existing(Path(path))  # before any work is done
    made = cutout(" ".join(args.position), args.size, args.bands, args.images)
    if made.simulated:
        print("twomass-nb: SIMULATED images: this sky never was", file=sys.stderr)
    if args.out:
        made.write(args.out)
    if args.png:
        picture = made.to_png()
        with whole_file(Path(args.png)) as file:
            file.write(picture)
    print(repr(made).strip("<>"))
    print("\n".join(str(path) for path in (args.out, args.png) if path))
    return 0


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    words = add_command(commands, "cutout", _cutout)
    words.add_argument("position", nargs="+", help="as 18:20:30 -16:10:00, or 275.12 -16.17")
    words.add_argument("size", help="side of the square: 5arcmin, 0.2deg, or a number of arcsec")
    words.add_argument("--bands", default="jhk", help="which bands (default jhk)")
    words.add_argument("--out", metavar="FILE", help="FITS file to write")
    words.add_argument("--png", metavar="FILE", help="picture to write, with the J2000 grid")
    words.add_argument(
        "--images", nargs="+", metavar="PATH",
        help="Atlas Images, or folders of them, to use; if not given, those of "
        "TWOMASS_NB_ARCHIVE, those fetched before, and IRSA's",
    )  # fmt: skip
    words.set_defaults(words=words)
