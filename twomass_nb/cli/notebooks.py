"""The commands that start: ``sample`` and ``lab``."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..errors import NotFoundError
from .words import add_command

__all__ = ["add_commands"]


def _sample(args: argparse.Namespace) -> int:
    """Write the simulated sample scan, or fetch the archive's own."""
    from ..archive import sample

    print(sample("scan63", source=args.source, folder=args.dir, short=args.short))
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
    package = Path(__file__).parents[1]
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


def add_commands(commands: Any) -> None:
    """Add them to the parser."""
    sample = add_command(commands, "sample", _sample)
    sample.add_argument("dir", metavar="DIR", nargs="?", help="folder; the cache if not given")
    sample.add_argument(
        "--source",
        choices=("simulated", "archive"),
        default="simulated",
        help="archive: fetch the real files, if the archive still answers",
    )
    sample.add_argument("--short", action="store_true", help="about 40 frames, in seconds")

    lab = add_command(commands, "lab", _lab)
    lab.add_argument("dir", metavar="DIR", nargs="?", help="folder for copies of the examples")
