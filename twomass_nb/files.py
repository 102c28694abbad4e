"""How a file is written: whole or not at all, and never over another unless that is asked for."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import ExistsError, NotFoundError, TwomassError, WriteError

__all__ = ["as_path", "refuse_existing", "whole_file"]


def as_path(path: Any) -> Path:
    """Return a path that a person gave, with ``~`` as the home that it means.

    Raises
    ------
    NotFoundError
        If it is no path at all: None, a number, bytes, a text with a zero byte.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or "\0" in text:
        msg = f"{path!r} is no path: give the name of a file or a folder"
        raise NotFoundError(msg)
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody here has that home
        return Path(text)


def refuse_existing(path: Path, overwrite: bool = False) -> None:
    """Raise `ExistsError` if `path` is there already, unless it may be overwritten."""
    if path.exists() and not overwrite:
        msg = f"{path} exists already: choose another name, or allow it to be overwritten"
        raise ExistsError(msg)


@contextmanager
def whole_file(path: Path) -> Iterator[Any]:
    """Open a temporary file that takes the name `path` if all goes well, and vanishes if not.

    Parameters
    ----------
    path : path
        Its folder is made if need be.

    Raises
    ------
    WriteError
        If the system refuses; the message names `path`, not the temporary file.
    """
    part = None
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
        part.chmod(0o644)
        part.replace(path)
    except BaseException as error:
        if part is not None:
            part.unlink(missing_ok=True)
        refused = error
        if isinstance(error, AttributeError) and isinstance(error.__context__, OSError):
            refused = error.__context__  # astropy, told that a disk is full, stumbles over its name
        if isinstance(refused, OSError) and not isinstance(refused, TwomassError):
            msg = f"{path} cannot be written: {refused.strerror or refused}; choose another place"
            raise WriteError(msg) from error
        raise
