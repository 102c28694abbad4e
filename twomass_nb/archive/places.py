"""Which folders and tables of this machine are the archive's: roots, what was fetched, tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from ..cache import cache_folder, origin, verified
from ..errors import NotFoundError
from ..files import as_path

__all__ = ["fetched_folder", "known_raw_scans", "known_scan_table", "local_roots", "sample_folder"]


def local_roots(roots: str | PathLike[str] | Iterable[str | PathLike[str]] | None) -> list[Path]:
    """Return the folders that a person keeps raw files in.

    Parameters
    ----------
    roots : path or several, optional
        If not given, those of ``TWOMASS_NB_ARCHIVE`` (``os.pathsep`` between them).

    Raises
    ------
    NotFoundError
        If one is no path.
    """
    if roots is None:
        roots = [
            part for part in os.environ.get("TWOMASS_NB_ARCHIVE", "").split(os.pathsep) if part
        ]
    elif isinstance(roots, str | PathLike) or not isinstance(roots, Iterable):
        roots = [roots]
    return [as_path(root).absolute() for root in roots]


def fetched_folder() -> Path:
    """Return where raw files go that were fetched; disk layout, may be dropped at any time."""
    return cache_folder() / "archive" / "raw"


def sample_folder(source: str, short: bool = False) -> Path:
    """Return where a sample of the cache is: real and simulated ones never share a folder."""
    ending = "-archive" if source == "archive" else "-short" if short else ""
    return cache_folder() / "sample" / f"scan63{ending}"


def known_scan_table() -> Path:
    """Return the scan table kept in the cache folder.

    That is ``twomass_scn`` with any suffix, put there by a person; else the one fetched.

    Raises
    ------
    NotFoundError
        If there is none, or more than one.
    """
    if path := _kept(("twomass_scn*",)) or _kept(("twomass_scn*", "fp_scan_dat*"), "tables"):
        return path
    msg = (
        "no scan table known: give --table FILE (twomass_scn of the 2MASS All-Sky DVD or "
        f"fp_scan_dat of IRSA), put that file into {cache_folder()}, fetch it with "
        "'twomass-nb fetch --what tables', or try --simulated"
    )
    raise NotFoundError(msg)


def known_raw_scans() -> Path | None:
    """Return the raw scan table kept in the cache folder, as ``raw_scans`` with any suffix.

    Raises
    ------
    NotFoundError
        If there is more than one.
    """
    return _kept(("raw_scans*",)) or _kept(("raw_scans*",), "tables")


def _kept(patterns: tuple[str, ...], below: str = "") -> Path | None:
    folder = cache_folder() / below
    found = sorted(p for pattern in patterns for p in folder.glob(pattern) if p.is_file())
    if len(found) > 1:
        names = ", ".join(p.name for p in found)
        msg = f"several tables of one kind in {folder} ({names}): keep one, or name it"
        raise NotFoundError(msg)
    if not found or (origin(found[0]) and not verified(found[0])):
        return None  # a fetched one that was damaged is dropped
    return found[0]
