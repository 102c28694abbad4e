"""Which remote sources have a scan's files, and what must hold before one takes its name here."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from isal import igzip, isal_zlib

from ..cache import mark_used
from ..errors import (
    FetchError,
    NotFoundError,
    OfflineError,
    ScanMissingError,
    TableError,
    TwomassWarning,
)
from ..raw.layout import FRAME_BYTES
from ..scan import BANDS, ScanId, parse_band
from ..tables import read_par
from . import umass
from .finder import FoundFile, another_in_par, look_for
from .labels import Looked, missing
from .places import fetched_folder
from .remote_manners import public_url, refuse_offline

__all__ = ["check_par", "check_raw", "fetch", "raw_file"]

_WHAT = ("raw", "atlas", "tables")
_PIECE = 1 << 20
#: Bytes unpacked, 8192 frames; a scan of the survey has 274.
_MOST_BYTES = 1 << 31


def fetch(
    scan: ScanId | str | None = None,
    band: str | None = None,
    what: str = "raw",
    coadds: Iterable[int] | None = None,
) -> list[Path]:
    """Return the files of a scan, fetched if they are not on this machine yet.

    Parameters
    ----------
    scan : ScanId or str
        Not needed for tables.
    band : {"j", "h", "k"}, optional
        All three if not given.
    what : {"raw", "atlas", "tables"}
        ``"raw"``: raw files, with their .par beside them, from the mirror whose address is
        ``TWOMASS_NB_MIRROR`` (night folders, as on the archive's disks); those of the archive's
        sample also from UMass. ``"atlas"``: Atlas Images from IRSA, or from the image archive
        of UMass if ``TWOMASS_NB_UMASS_IMAGES`` is set and IRSA has none. ``"tables"``: the
        survey's scan table, from IRSA.
    coadds : iterable of int, optional
        Which Atlas Images; all if not given.

    Returns
    -------
    list of Path

    Raises
    ------
    ScanMissingError
        If raw files are neither here nor anywhere they could be fetched from; those of other
        bands that could be fetched are kept.
    OfflineError
        If they would be fetched, but ``TWOMASS_NB_OFFLINE`` forbids it.
    FetchError
        If a server does not answer, or answers with something else.
    """
    if what not in _WHAT:
        msg = f"{what!r} cannot be fetched: use 'raw', 'atlas' or 'tables'"
        raise NotFoundError(msg)
    if what == "tables":
        from .irsa import fetch_scan_table

        return [fetch_scan_table()]
    if scan is None:
        msg = f"say which scan to fetch the {what} files of, as 000529s063"
        raise NotFoundError(msg)
    scan_id = ScanId.parse(scan)  # type: ignore[arg-type]
    bands = (parse_band(band),) if band is not None else BANDS
    return _raw(scan_id, bands) if what == "raw" else _atlas(scan_id, bands, coadds)


def _atlas(scan_id: ScanId, bands: tuple[str, ...], coadds: Iterable[int] | None) -> list[Path]:
    from .irsa import fetch_atlas

    coadds = list(coadds) if isinstance(coadds, Iterable) else coadds
    try:
        return fetch_atlas(scan_id, bands, coadds)
    except OfflineError:
        raise
    except (FetchError, NotFoundError):
        if not umass.images_switched_on():
            raise
    return umass.fetch_images(scan_id, bands, coadds)


def _raw(scan_id: ScanId, bands: tuple[str, ...]) -> list[Path]:
    paths, errors, lacking, looked = [], [], [], []
    for band in bands:
        try:
            paths.append(raw_file(scan_id, band, asked=True).path)
        except ScanMissingError as error:
            errors.append(error)
            lacking.append(band)
            looked += [one for one in error.looked if one not in looked]
    if not errors:
        return paths
    if isinstance(errors[0].__cause__, OfflineError):
        raise errors[0].__cause__
    raise missing(scan_id, lacking, looked) from errors[0].__cause__


def raw_file(scan_id: ScanId, band: str, *, asked: bool = False) -> FoundFile:
    """Return the raw file of a scan in a band: found on this machine, else fetched.

    Parameters
    ----------
    scan_id : ScanId
    band : {"j", "h", "k"}
    asked : bool
        Whether a person asked to fetch it: then UMass is tried, too, for files of the archive's
        sample; otherwise only the mirror is.

    Raises
    ------
    ScanMissingError
        If it is nowhere.
    """
    found, looked = look_for(scan_id, (band,))
    if found:
        return _with_par_again(found[0]) if asked else found[0]
    sources = _sources(scan_id, asked)
    failure = None
    for address in sources:
        try:
            return _fetch_raw(address, scan_id, band)
        except FetchError as error:
            failure = error
            url = public_url(address(f"{scan_id.stem(band)}.rds.gz"))
            looked.append(Looked(url, str(error)))
    if not sources:
        looked.append(Looked("remote", "no mirror: TWOMASS_NB_MIRROR is not set"))
    raise missing(scan_id, (band,), looked) from failure


def _sources(scan_id: ScanId, asked: bool) -> list[Callable[[str], str]]:
    """Return functions from a file's name to its address, one for each source switched on."""
    sources: list[Callable[[str], str]] = []
    if mirror := os.environ.get("TWOMASS_NB_MIRROR"):
        sources.append(lambda name: f"{mirror.rstrip('/')}/{scan_id.night}/{name}")
    if asked and scan_id in umass.SAMPLE:
        sources.append(umass.raw_url)
    return sources


def _fetch_raw(address: Callable[[str], str], scan_id: ScanId, band: str) -> FoundFile:
    """Fetch a raw file after its .par, so that at no time one is here without the other."""
    root = fetched_folder()
    stem = scan_id.stem(band)
    refuse_offline(address(f"{stem}.rds.gz"), f"{scan_id.night}/{stem}.rds.gz with its .par")
    par = _fetch_par(address, scan_id, band)
    path = _fetch_file(address, scan_id, f"{stem}.rds.gz", check_raw)
    if par is not None:
        mark_used(par)  # of the two it should be dropped last
    else:
        text = f"{public_url(address(path.name))} has no .par beside it: nothing says where its "
        warnings.warn(text + "frames were", TwomassWarning, stacklevel=4)
    return FoundFile(scan_id, band, path, par, "cache", root)


def _fetch_par(address: Callable[[str], str], scan_id: ScanId, band: str) -> Path | None:
    """Fetch a parameter file, packed or not; None if the source has neither."""

    def check(path: Path) -> None:
        check_par(path, scan_id, band)

    for suffix in (".par", ".par.gz"):
        try:
            return _fetch_file(address, scan_id, scan_id.stem(band) + suffix, check)
        except FetchError as error:
            if error.status != 404:
                raise
    return None


def _fetch_file(
    address: Callable[[str], str], scan_id: ScanId, name: str, check: Callable[[Path], None]
) -> Path:
    from .remote import fetch_file

    target = fetched_folder() / scan_id.night / name
    return fetch_file(address(name), target, check=check, what=f"{scan_id.night}/{name}")


def _with_par_again(found: FoundFile) -> FoundFile:
    """Return a file that was fetched with its .par, should that be gone, if it can be had."""
    if found.par is None and found.root == fetched_folder():
        for address in _sources(found.scan_id, asked=True):
            with suppress(FetchError):
                return replace(found, par=_fetch_par(address, found.scan_id, found.band))
    return found


# Before a file takes its name -----------------------------------------------------------


def check_par(path: Path, scan_id: ScanId, band: str) -> None:
    """Refuse what is no text, marked up, or another scan's.

    The syntax of real .par files is not known: one that is not understood is taken as it is.

    Raises
    ------
    FetchError
        It says what the content is.
    """
    start = _first_bytes(path)
    if start[:2] != b"\x1f\x8b" and (not start.strip() or b"\0" in start):
        msg = "it is empty or no text, so no parameter file"
        raise FetchError(msg)
    if start.lstrip()[:1] == b"<":
        msg = "it is marked up, so no parameter file"
        raise FetchError(msg)
    try:
        other = another_in_par(read_par(path), scan_id, band)
    except TableError:
        return
    if other:
        msg = f"it says {other}, so it is not of {scan_id} {band}"
        raise FetchError(msg)


def check_raw(path: Path) -> None:
    """Refuse what does not unpack, to its end and its checksum, into whole frames.

    Raises
    ------
    FetchError
        It says what is wrong.
    """
    start, size = _first_bytes(path), 0
    if start[:2] != b"\x1f\x8b":
        msg = "it is not gzip, so no raw file"
        raise FetchError(msg)
    damaged: Any = (EOFError, OSError, zlib.error, isal_zlib.error)
    try:
        with igzip.open(path, "rb") as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > _MOST_BYTES:
                    msg = f"it unpacks to more than {_MOST_BYTES} bytes: no scan is so long"
                    raise FetchError(msg)
    except damaged as error:
        msg = f"it is damaged ({str(error).strip()})"
        raise FetchError(msg) from None
    if size == 0 or size % FRAME_BYTES:
        msg = f"it holds {size} bytes, no whole number of frames of {FRAME_BYTES}"
        raise FetchError(msg)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)
