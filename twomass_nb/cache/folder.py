"""Where the cache is, what kinds of things it has, and how big it may grow."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ..errors import TwomassError
from ..files import as_path

__all__ = ["DISPOSABLE", "bytes_of", "cache_folder", "cache_limit", "in_cache", "kinds"]

#: Folders of the cache whose files may be dropped at any time, least recently used first: frames
#: decoded, and files fetched. All others (tables, layouts learnt, samples) go only when told to.
DISPOSABLE = ("frames", "archive")
_DEFAULT_LIMIT = 20_000_000_000  # about 270 decoded scans
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]?)i?B?\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def cache_folder() -> Path:
    """Return the folder for what can be made or fetched again (``TWOMASS_NB_CACHE``).

    It need not exist yet.
    """
    if named := os.environ.get("TWOMASS_NB_CACHE"):
        return as_path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "twomass_nb"


def cache_limit() -> int:
    """Return how many bytes the disposable files may have (``TWOMASS_NB_CACHE_SIZE``).

    Raises
    ------
    TwomassError
        If the variable is set to something that is no size, as ``20 GB``.
    """
    text = os.environ.get("TWOMASS_NB_CACHE_SIZE")
    return bytes_of(text, "TWOMASS_NB_CACHE_SIZE") if text else _DEFAULT_LIMIT


def bytes_of(text: str, name: str) -> int:
    """Return the bytes that a text as ``20 GB`` means; `name` is what to call it if it is none."""
    match = _SIZE.fullmatch(text)
    if match is None:
        msg = f"{name} is {text!r}, which is no size: write it as '20 GB'"
        raise TwomassError(msg)
    return int(float(match[1]) * _UNITS[match[2].lower()])


def in_cache(path: Path) -> bool:
    """Whether a file is in the cache folder, or would be."""
    return cache_folder().absolute() in path.absolute().parents


def kinds() -> list[str]:
    """Return the kinds of things in the cache: the names of its folders."""
    try:
        found = [p.name for p in cache_folder().iterdir() if p.is_dir()]
    except OSError:
        return []
    return sorted(name for name in found if not name.startswith("."))
