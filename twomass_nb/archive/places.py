"""Where this machine keeps things: the cache folder, and the scan table a person has put there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import NotFoundError

__all__ = ["cache_folder", "known_scan_table"]


def cache_folder() -> Path:
    """Return the folder for what can be made or fetched again (``TWOMASS_NB_CACHE``).

    It need not exist yet.
    """
    if named := os.environ.get("TWOMASS_NB_CACHE"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "twomass_nb"


def known_scan_table() -> Path:
    """Return the scan table kept in the cache folder, as ``twomass_scn`` with any suffix.

    Raises
    ------
    NotFoundError
        If there is none, or more than one.
    """
    folder = cache_folder()
    found = sorted(p for p in folder.glob("twomass_scn*") if p.is_file())
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(p.name for p in found)
        msg = f"several scan tables in {folder} ({names}): name one with --table"
        raise NotFoundError(msg)
    msg = (
        "no scan table known: give --table FILE (twomass_scn of the 2MASS All-Sky DVD or "
        f"fp_scan_dat of IRSA), put that file into {folder}, or try --simulated"
    )
    raise NotFoundError(msg)
