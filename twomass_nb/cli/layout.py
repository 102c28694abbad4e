"""The command ``layout``: the word order of a raw file, learnt or found."""

from __future__ import annotations

import argparse
from typing import Any

from .words import add_command

__all__ = ["add_commands"]


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
    layout = commands.add_parser("layout", help="Find the word order of a raw file.")
    ways = layout.add_subparsers(required=True, metavar="WAY")
    learn = add_command(ways, "learn", _layout_learn)
    learn.add_argument("rds", metavar="RDS")
    learn.add_argument("rdo", metavar="RDO")
    add_command(ways, "detect", _layout_detect).add_argument("file", metavar="FILE")
