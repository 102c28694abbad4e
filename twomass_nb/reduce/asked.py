"""Which scans and files a person means by a path, an identity, or a night's folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ..archive import find_files
from ..archive.finder import look_for
from ..errors import CalibrationError, NotFoundError, ScanNameError
from ..files import as_path
from ..night import Night
from ..raw import RawScan
from ..raw.beside import sibling_of
from ..scan import BANDS, FileName, ScanId, parse_band
from .plan import Asked

__all__ = ["bands_of", "nights_around", "scan_asked", "scans_asked"]

_NIGHT = re.compile(r"\d{6}[ns]", re.IGNORECASE)
#: Types of scans that are reduced: of the survey, and of its calibration fields.
_TYPES = ("sci", "cal")


def bands_of(bands: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return bands in their order; None for those there are.

    Raises
    ------
    ScanNameError
        If one is no band, or none is named.
    """
    if bands is None:
        return None
    asked = {parse_band(band) for band in bands}
    if not asked:
        msg = "no band was asked for: give bands='jhk' or some of them"
        raise ScanNameError(msg)
    return tuple(band for band in BANDS if band in asked)


def scan_asked(scan: Any, bands: tuple[str, ...] | None) -> Asked:
    """Return the scan that a raw file, an open scan or an identity means.

    Raises
    ------
    NotFoundError
        If it, or one of the bands, is not there.
    CalibrationError
        If nothing says which scan a file is of.
    """
    if isinstance(scan, RawScan):
        return _of_file(scan, bands)
    if isinstance(scan, ScanId):
        return _of_identity(scan, bands)
    path = as_path(scan)
    if path.is_dir():
        msg = f"{path} is a folder: reduce it as a night, or name one raw file in it"
        raise NotFoundError(msg)
    if path.exists():
        return _of_file(RawScan(path), bands)
    if _is_identity(str(scan)):
        return _of_identity(ScanId.parse(str(scan)), bands)
    msg = f"there is no file or folder {path}: name one, or a scan as 000529s063"
    raise NotFoundError(msg)


def _is_identity(text: str) -> bool:
    try:
        FileName.parse(text)
    except ScanNameError:
        pass
    else:
        return False  # the name of a file
    try:
        ScanId.parse(text)
    except ScanNameError:
        return False
    return True


def _of_file(scan: RawScan, bands: tuple[str, ...] | None) -> Asked:
    if scan.scan_id is None or scan.band is None:
        msg = (
            f"{scan.path} does not say which scan it is: give it the archive's name, in the "
            "folder of its night, as 000529s/k1186063.rds.gz"
        )
        raise CalibrationError(msg)
    raw = {
        band: scan.path if band == scan.band else sibling_of(scan.path, band)
        for band in bands or (scan.band,)
    }
    return Asked(scan.scan_id, _absolute(raw))


def _of_identity(scan_id: ScanId, bands: tuple[str, ...] | None) -> Asked:
    if bands is None:
        return Asked(scan_id, _absolute({one.band: one.path for one in find_files(scan_id)}))
    found = {band: find_files(scan_id, band)[0].path for band in bands}
    return Asked(scan_id, _absolute(found))


def scans_asked(
    night: Night, bands: tuple[str, ...] | None, scans: Sequence[int] | None
) -> list[Asked]:
    """Return the scans of a night to be reduced: those of the survey and of calibration fields.

    Raises
    ------
    NotFoundError
        If there are none, or one of those named is not there.
    """
    numbers = [
        int(row["scan"]) for row in night.scans
        if scans is not None or str(row["s_type"]) in _TYPES
    ]  # fmt: skip
    if scans is not None:
        missing = sorted(set(scans) - set(numbers))
        if missing:
            msg = f"{night.name} has no scan {missing[0]}: it has {_short(numbers)}"
            raise NotFoundError(msg)
        numbers = sorted(set(scans))
    asked = []
    for number in numbers:
        scan_id = ScanId(night.date, str(night.hemis), number)
        found, _ = look_for(scan_id, bands or BANDS, night.folder)
        raw = {one.band: one.path for one in found if one.path.parent == night.folder}
        if raw:
            asked.append(Asked(scan_id, _absolute(raw)))
    if not asked:
        which = "named" if scans is not None else "of type sci or cal"
        msg = f"{night.folder} holds no raw file of a scan {which}: see open_night(...).scans"
        raise NotFoundError(msg)
    return asked


def _short(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown + (f", ... {numbers[-1]}" if len(numbers) > 8 else "")


def _absolute(raw: dict[str, Path]) -> dict[str, Path]:
    return {band: path.absolute() for band, path in raw.items()}


def nights_around(
    nights: str | PathLike[str] | Iterable[str | PathLike[str]] | None, folder: Path
) -> tuple[Path, ...]:
    """Return where darks and twilights are looked for.

    Unless told, that is the folder of the scan's night and the others of its disk.

    Raises
    ------
    NotFoundError
        If a folder is not there: what a mistyped one would fail is not worth what was made before.
    """
    if nights is None:
        folder = folder.absolute()
        return (folder.parent if _NIGHT.fullmatch(folder.name) else folder,)
    several = [nights] if isinstance(nights, str | PathLike) else nights
    folders = tuple(as_path(one).absolute() for one in several)
    for one in folders:
        if not one.is_dir():
            msg = f"there is no folder {one}: name those of darks and twilights, or none"
            raise NotFoundError(msg)
    return folders
