"""Which night of a folder is meant, and at which observatory it was, before any of it is read."""

from __future__ import annotations

import warnings
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotFoundError, TwomassError, TwomassWarning
from ..files import as_path
from ..scan import ScanId, hemisphere_of
from .night import Night
from .places import Holding, holdings_of, list_folder

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["as_raw_scans", "open_night", "settle_hemisphere"]


def open_night(
    folder: str | PathLike[str],
    night: str | None = None,
    raw_scans: Table | str | PathLike[str] | None = None,
) -> Night:
    """Open a night's folder: list it, read its tables and parameter files, unpack nothing.

    Parameters
    ----------
    folder : path
        A night of a disk (``000529s``), or the flat folder of a tape.
    night : str, optional
        As ``"000529s"``: which night of a tape, or that of a folder which does not say its
        hemisphere.
    raw_scans : Table or path, optional
        The raw scan table, to compare with.

    Returns
    -------
    Night

    Raises
    ------
    NotFoundError
        If there is no such folder, it holds no such night, or several and none was chosen.
    """
    path = as_path(folder)
    if path.exists() and not path.is_dir():
        msg = f"{path} is a file: name the folder of its night, or open it with open_scan"
        raise NotFoundError(msg)
    held = holdings_of(list_folder(path))
    held = [one for one in held if one.files or one.misplaced]
    if not held:
        msg = f"{path} holds no file of the raw archive: name a night's folder, as 000529s"
        raise NotFoundError(msg)
    return Night(_chosen(path, held, night), as_raw_scans(raw_scans))


def _chosen(path: Path, held: list[Holding], night: str | None) -> Holding:
    """Return the holding of the night asked for, or the only one."""
    for one in held:
        settle_hemisphere(one)
    names = ", ".join(one.night for one in held)
    if night is None:
        if len(held) > 1:
            msg = f"{path} holds {len(held)} nights ({names}): choose with night='{held[0].night}'"
            raise NotFoundError(msg)
        if held[0].hemis is None:
            day = f"{held[0].date:%y%m%d}"
            msg = f"{path} does not say its hemisphere: give night='{day}n' or night='{day}s'"
            raise NotFoundError(msg)
        return held[0]
    asked = ScanId.parse(f"{night}001")
    for one in held:
        if one.date == asked.date and (one.hemis is None or asked.hemis in one.evidence):
            one.hemis = asked.hemis
            return one
    msg = f"{path} does not hold the night {night}: it has {names}"
    raise NotFoundError(msg)


def settle_hemisphere(holding: Holding) -> None:
    """Let the parameter files say the hemisphere where no name does."""
    from ..tables import read_par

    for entry in holding.of_kind("par"):
        if holding.hemis is not None:
            return
        if not entry.regular:
            continue
        try:
            holding.hemis = hemisphere_of(read_par(entry.path).get("TELNAME"))
        except TwomassError:
            continue


def as_raw_scans(table: Table | str | PathLike[str] | None) -> Table | None:
    """Return the raw scan table, read if it is a path; what it has twice is found later."""
    if table is None or not isinstance(table, (str, PathLike)):
        return table
    from ..tables import read_raw_scans

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TwomassWarning)
        return read_raw_scans(table)
