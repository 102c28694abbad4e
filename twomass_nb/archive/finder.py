"""Which of this machine's folders hold a scan's raw files: disks, tapes, what was fetched.

Only the few paths that the archive's layouts allow are looked at: nothing is searched through.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from astropy.table import Table

from ..cache import verified
from ..errors import TwomassError, TwomassWarning
from ..raw.packing import says_simulated
from ..scan import BANDS, FileName, ScanId, hemisphere_of, parse_band
from ..tables import Par, read_par
from .labels import Looked, cut_on_tape, missing, tape_hemisphere
from .places import fetched_folder, local_roots, sample_folder

__all__ = ["FoundFile", "find_files", "look_for"]

#: Kinds of raw files, best first: the archive's own before what was made of it.
_SUFFIXES = (".rds.gz", ".rds", ".rdo", ".rdo.gz")
_NIGHT = re.compile(r"\d{6}[ns]")
_NIGHT_FILE = re.compile(r"\d{6}([ns])\.(?:lgo|dir)(?:\.gz)?")
_DISK = re.compile(r"([ns])\d{2}")
_PATIENCE = 10.0  # seconds that a root may take to answer at all

Roots = str | PathLike[str] | Iterable[str | PathLike[str]]


@dataclass(frozen=True)
class FoundFile:
    """The raw file of a scan in one band.

    Attributes
    ----------
    scan_id : ScanId
    band : {"j", "h", "k"}
    path : Path
    par : Path or None
        The parameter file beside it.
    where : {"disk", "tape", "folder", "cache"}
        A folder named by its night, by a tape's label, or in another way; or what was fetched.
    root : Path
        Which of the folders that were looked in.
    """

    scan_id: ScanId
    band: str
    path: Path
    par: Path | None
    where: str
    root: Path

    @property
    def simulated(self) -> bool:
        """Whether the file, or its parameter file, says that the scan never was."""
        par = _read_par(self.par)
        return says_simulated(self.path) or (par is not None and par.simulated)


def find_files(
    scan_id: ScanId | str,
    band: str | None = None,
    roots: Roots | None = None,
    raw_scans: Table | str | PathLike[str] | None = None,
) -> list[FoundFile]:
    """Return the raw files of a scan on this machine, at most one a band.

    Looked at, in this order, are the roots and what was fetched before. A root may be the top of
    a disk (``000529s/``), a folder of disks (``s04/000529s/``) or of tapes (``RAWS0136/``), the
    folder of one night or tape, or any folder that holds the files themselves, where a .par or
    .lgo beside them tells the hemisphere. Simulated samples are not looked at.

    Parameters
    ----------
    scan_id : ScanId or str
    band : {"j", "h", "k"}, optional
        All three if not given.
    roots : path or several, optional
        Folders to look in instead of those of ``TWOMASS_NB_ARCHIVE``.
    raw_scans : Table or path, optional
        Raw scan table that tells the tape and disk of what is missing; if not given, that in the
        cache folder.

    Returns
    -------
    list of FoundFile
        In the order J, H, Ks.

    Raises
    ------
    ScanMissingError
        If there is none: it names every place looked at, and the tape and disk.

    Warns
    -----
    TwomassWarning
        If all there is of a file is a copy of the tapes' that is known to be cut off.
    """
    scan_id = ScanId.parse(scan_id)  # type: ignore[arg-type]
    bands = (parse_band(band),) if band is not None else BANDS
    found, looked = look_for(scan_id, bands, roots)
    if not found:
        raise missing(scan_id, bands, looked, raw_scans)
    return found


def look_for(
    scan_id: ScanId, bands: Iterable[str], roots: Roots | None = None
) -> tuple[list[FoundFile], list[Looked]]:
    """Return what `find_files` does, though it may be nothing, and where was looked in vain."""
    looked: list[Looked] = []
    found: dict[str, FoundFile] = {}
    cut: dict[str, FoundFile] = {}
    bands = tuple(bands)
    given = local_roots(roots)
    if not given:
        looked.append(Looked("local folders", "none: TWOMASS_NB_ARCHIVE is not set"))
    for root in [*given, *_cached_roots()]:
        open_bands = [band for band in bands if band not in found]
        if not open_bands:
            break
        hits, outcomes = _look_in(root, scan_id, open_bands)
        for hit in hits:
            if hit.where != "disk" and root in given and cut_on_tape(scan_id, hit.band):
                cut.setdefault(hit.band, hit)
            else:
                found.setdefault(hit.band, hit)
        looked += outcomes or [Looked(str(root), "not in it")] if not hits else []
    for band in cut.keys() - found.keys():
        found[band] = cut[band]
        _warn_of_cut(cut[band])
    return [found[band] for band in bands if band in found], looked


def _cached_roots() -> list[Path]:
    sample = sample_folder("archive")
    return [fetched_folder(), *([sample] if sample.is_dir() else [])]


def _warn_of_cut(file: FoundFile) -> None:
    text = (
        f"{file.path} is known to be cut off on its tape; the archive's disk has it whole: "
        f"ask for {file.scan_id.night}/{file.path.name} of the disk"
    )
    warnings.warn(text, TwomassWarning, stacklevel=4)


# One root -------------------------------------------------------------------------------


def _look_in(root: Path, scan_id: ScanId, bands: list[str]) -> tuple[list[FoundFile], list[Looked]]:
    """Return the files of a scan under a root, the first of each band, and what went wrong."""
    if refusal := _refusal(root):
        return [], [Looked(str(root), refusal)]
    cached = root in _cached_roots()
    hits: dict[str, FoundFile] = {}
    outcomes: list[Looked] = []
    for folder, where in _folders(root, scan_id, outcomes):
        try:
            if _mode(folder) is None:
                continue
            for band in bands:
                if band not in hits and (path := _raw_in(folder, scan_id.stem(band))):
                    par = _par_in(folder, scan_id.stem(band))
                    if cached and not verified(path):
                        continue  # it was damaged
                    par = None if cached and par and not verified(par) else par
                    if refusal := _of_another(path, par, scan_id, where):
                        outcomes.append(Looked(str(path), refusal))
                        continue
                    kind = "cache" if cached else where
                    hits[band] = FoundFile(scan_id, band, path, par, kind, root)
        except OSError as error:
            outcomes.append(Looked(str(folder), error.strerror or str(error)))
        if len(hits) == len(bands):
            break
    return list(hits.values()), outcomes


def _refusal(root: Path) -> str:
    """Return why a root cannot be looked into; a mount that hangs is waited for, but not long."""
    said: list[str] = []

    def ask() -> None:
        try:
            mode = _mode(root)
            is_folder = mode is not None and stat.S_ISDIR(mode)
            said.append("" if is_folder else "no such folder" if mode is None else "not a folder")
        except OSError as error:
            said.append(error.strerror or str(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    return said[0] if said else f"does not answer within {_PATIENCE:g} s"


def _folders(root: Path, scan_id: ScanId, outcomes: list[Looked]) -> Iterator[tuple[Path, str]]:
    """Yield the folders under a root that may hold a scan's files: disks, then tapes, then itself.

    One folder is listed, the root; whatever else is yielded need not exist.
    """
    name = root.name.lower()
    if _NIGHT.fullmatch(name) or tape_hemisphere(name):
        if name == scan_id.night:
            yield root, "disk"
        elif tape_hemisphere(name) == scan_id.hemis:
            yield root, "tape"
        return
    yield from _night_in(root, scan_id)
    tapes = []
    try:
        with os.scandir(root) as listed:
            below = sorted(entry.name for entry in listed if _may_be_folder(entry))
    except OSError as error:
        outcomes.append(Looked(str(root), error.strerror or str(error)))
        below = []
    for child in below:
        lower = child.lower()
        disk = _DISK.fullmatch(lower)
        if hemis := tape_hemisphere(lower):
            tapes += [root / child] if hemis == scan_id.hemis else []
        elif not _NIGHT.fullmatch(lower) and (disk is None or disk[1] == scan_id.hemis):
            yield from _night_in(root / child, scan_id)
    yield from ((tape, "tape") for tape in tapes)
    yield root, "folder"


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return True  # what is wrong with it is said when it is looked into


def _night_in(folder: Path, scan_id: ScanId) -> Iterator[tuple[Path, str]]:
    for name in (scan_id.night, scan_id.night.upper()):
        yield folder / name, "disk"


def _raw_in(folder: Path, stem: str) -> Path | None:
    return _first(folder, stem, _SUFFIXES)


def _par_in(folder: Path, stem: str) -> Path | None:
    return _first(folder, stem, (".par", ".par.gz"))


def _first(folder: Path, stem: str, suffixes: tuple[str, ...]) -> Path | None:
    """Return the first file there is, in lower case or, as some file systems have it, in upper."""
    names = [stem + suffix for suffix in suffixes]
    for name in [*names, *(name.upper() for name in names)]:
        mode = _mode(folder / name)
        if mode is not None and stat.S_ISREG(mode):
            return folder / name
    return None


def _mode(path: Path) -> int | None:
    """Return what a path is, None if it is not there; unlike `Path.is_file`, raise if refused."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


# Whose file it is -----------------------------------------------------------------------


def _of_another(path: Path, par: Path | None, scan_id: ScanId, where: str) -> str:
    """Return why a file of the right name is not of this scan, or "": a stem has no hemisphere.

    In a folder whose name does not tell the hemisphere, something else must.
    """
    said = _read_par(par)
    by_par = hemisphere_of(said.get("TELNAME")) if said is not None else None
    if by_par and by_par != scan_id.hemis:
        return f"its .par says hemisphere {by_par}"
    if where != "folder" or by_par:
        return ""
    known = _hemisphere_by_names(path)
    if known is None:
        return (
            f"nothing tells its hemisphere: put it into a folder {scan_id.night} if it is "
            "of that night, or beside its .par"
        )
    return "" if known == scan_id.hemis else f"the names around it say hemisphere {known}"


def _hemisphere_by_names(path: Path) -> str | None:
    """Return the hemisphere by the folders above a file or the night files beside it."""
    try:
        if name := FileName.parse(path).scan_id:
            return name.hemis
    except TwomassError:
        return None  # it contradicts its folder
    nights = filter(None, (_NIGHT_FILE.fullmatch(p.name.lower()) for p in path.parent.iterdir()))
    said = {match[1] for match in nights}
    return said.pop() if len(said) == 1 else None


def _read_par(par: Path | None) -> Par | None:
    try:
        return read_par(par) if par is not None else None
    except TwomassError:
        return None
