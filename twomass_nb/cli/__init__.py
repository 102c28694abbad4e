"""The ``twomass-nb`` command: words in, the same public functions called, a clear line out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import __version__
from ..errors import TwomassError, TwomassWarning
from . import cache, catalog, check, cutout, fetch, files, layout, notebooks, reduce, scans

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twomass-nb", description="Find and open the raw frames of 2MASS."
    )
    parser.add_argument("--version", action="version", version=f"twomass-nb {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    groups = (scans, files, layout, check, fetch, cutout, reduce, cache, catalog, notebooks)
    for group in groups:
        group.add_commands(commands)
    return parser


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, TwomassWarning):
        print(f"twomass-nb: warning: {message}", file=sys.stderr)


@contextmanager
def _ended_politely() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, so that no half-written file stays."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
        with warnings.catch_warnings(), _ended_politely():
            warnings.showwarning = _show_warning
            return args.run(args)
    except BrokenPipeError:  # whoever reads, as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (TwomassError, OSError) as error:
        if args.debug:
            traceback.print_exc()
        print(f"twomass-nb: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("twomass-nb: interrupted", file=sys.stderr)
        return 130
