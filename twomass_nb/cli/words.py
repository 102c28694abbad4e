"""How a command is put into words: added to the parser, and its findings printed."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

__all__ = ["add_command", "print_found"]


def add_command(group: Any, name: str, function: Any, **options: Any) -> argparse.ArgumentParser:
    """Add a command that runs `function`, whose docstring is its help."""
    added: argparse.ArgumentParser = group.add_parser(
        name, help=function.__doc__, description=function.__doc__, **options
    )
    added.set_defaults(run=function)
    # argparse takes "-16:14:49" for an option; a declination is none.
    added._negative_number_matcher = re.compile(r"^-\.?\d.*$")  # noqa: SLF001
    return added


def print_found(found: dict[str, Any], as_json: bool) -> None:
    """Print names and values, as lines or as JSON."""
    if as_json:
        print(json.dumps(found, indent=1, default=str))
        return
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")
