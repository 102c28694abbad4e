"""The command ``layout``: the word order of a raw file, learnt, found, remembered or forgotten."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from ..errors import LayoutError
from .words import add_command, print_found

__all__ = ["add_commands"]


def _layout_learn(args: argparse.Namespace) -> int:
    """Print the word order that a pair of files shows, and remember it."""
    from ..raw.wordorder.learn import learn
    from ..raw.wordorder.remember import remember

    try:
        learnt = learn(args.rds, args.rdo)
    except LayoutError as error:
        if args.json:
            print_found({"layout": None, "tried": list(error.tried)}, as_json=True)
        raise
    remember(learnt)
    if args.json:
        print_found(learnt.as_json(), as_json=True)
        return 0
    evidence = learnt.evidence
    print(learnt.layout)  # alone on stdout, for scripts
    marked = ", for SIMULATED files only" if evidence.simulated else ""
    print(
        f"all {evidence.bytes_compared} bytes of {evidence.n_frames} frames agree; "
        f"remembered as {learnt.name}{marked}",
        file=sys.stderr,
    )
    return 0


def _layout_detect(args: argparse.Namespace) -> int:
    """Print the word order that one file's content shows."""
    from ..raw import detect_layout

    layout, confidence = detect_layout(args.file)
    if args.json:
        found = {"file": args.file, "layout": str(layout), "confidence": round(confidence, 4)}
        print_found(found, as_json=True)
    else:
        print(f"{layout}  confidence {confidence:.3f}")
    return 0


def _layout_list(args: argparse.Namespace) -> int:
    """Print the word orders learnt before, with their evidence."""
    from ..raw.wordorder.remember import remembered

    found = remembered()
    if args.json:
        print(json.dumps([one.as_json() for one in found], indent=1))
        return 0
    for one in found:
        print(f"{one.name}  {one.layout}")
        print(f"          {one.evidence}, {one.evidence.date}")
        for file in map(asdict, one.evidence.files):
            print("          {name}  {size} bytes  SHA-256 {sha256}".format(**file))
    if not found:
        print("none: teach one with twomass-nb layout learn RDS RDO")
    return 0


def _layout_forget(args: argparse.Namespace) -> int:
    """Forget a word order learnt before, by the name that `layout list` shows, or all."""
    from ..raw.wordorder.remember import forget

    for one in forget(None if args.all else args.name):
        print(f"forgot {one.name}  {one.layout}")
    return 0


def add_commands(commands: Any) -> None:
    """Add them to the parser."""
    layout = commands.add_parser("layout", help="Find the word order of a raw file.")
    ways = layout.add_subparsers(required=True, metavar="WAY")
    learn = add_command(ways, "learn", _layout_learn)
    learn.add_argument("rds", metavar="RDS")
    learn.add_argument("rdo", metavar="RDO")
    detect = add_command(ways, "detect", _layout_detect)
    detect.add_argument("file", metavar="FILE")
    listing = add_command(ways, "list", _layout_list)
    for words in (learn, detect, listing):
        words.add_argument("--json", action="store_true", help="print JSON")
    which = add_command(ways, "forget", _layout_forget).add_mutually_exclusive_group(required=True)
    which.add_argument("name", metavar="NAME", nargs="?")
    which.add_argument("--all", action="store_true", help="forget all")
