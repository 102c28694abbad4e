"""The scan table that a person has put into the cache folder."""

from __future__ import annotations

from pathlib import Path

from ..cache import cache_folder
from ..errors import NotFoundError

__all__ = ["known_scan_table"]


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
