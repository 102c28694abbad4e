"""Which of this machine's folders hold a scan's raw files: disks, tapes, what was fetched.

Only the few paths that the archive's layouts allow are looked at: nothing is searched through.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from astropy.table import Table

from ..cache import verified
from ..errors import TwomassError, TwomassWarning
from ..raw.packing import says_simulated
from ..scan import BANDS, FileName, ScanId, hemisphere_of, parse_band
from ..tables import Par, read_par
from .folders import first_file, folders_of, mode_of, refusal_of
from .labels import Looked, cut_on_tape, missing
from .places import fetched_folder, local_roots, sample_folder

__all__ = ["FoundFile", "another_in_par", "find_files", "look_for"]

#: Kinds of raw files, best first: the archive's own before what was made of it.
_SUFFIXES = (".rds.gz", ".rds", ".rdo", ".rdo.gz")
_STEM = re.compile(r"[jhk]\d{7}")
_NIGHT_FILE = re.compile(r"\d{6}([ns])\.(?:lgo|dir)(?:\.gz)?")

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
            if hit.where in ("tape", "folder") and cut_on_tape(scan_id, hit.band):
                cut.setdefault(hit.band, hit)
            else:
                found.setdefault(hit.band, hit)
        looked += outcomes or [Looked(str(root), "not in it")] if not hits else []
    for band in cut.keys() - found.keys():
        found[band] = cut[band]
        if cut[band].where == "tape":
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
    if refusal := refusal_of(root):
        return [], [Looked(str(root), refusal)]
    hits: dict[str, FoundFile] = {}
    outcomes: list[Looked] = []
    for folder, where in folders_of(root, scan_id, outcomes):
        try:
            if mode_of(folder) is None:
                continue
            for band in bands:
                found = None if band in hits else _file_in(folder, scan_id, band, where, root)
                if isinstance(found, FoundFile):
                    hits[band] = found
                elif found is not None:
                    outcomes.append(found)
        except OSError as error:
            outcomes.append(Looked(str(folder), error.strerror or str(error)))
        if len(hits) == len(bands):
            break
    return list(hits.values()), outcomes


def _file_in(
    folder: Path, scan_id: ScanId, band: str, where: str, root: Path
) -> FoundFile | Looked | None:
    """Return the file of a scan in a folder, or why what is there is not it, or None."""
    path = first_file(folder, scan_id.stem(band), _SUFFIXES)
    par = first_file(folder, scan_id.stem(band), (".par", ".par.gz"))
    if root in _cached_roots():
        where = "cache"
        path, par = (one if one and verified(one) else None for one in (path, par))
    if path is None:
        return None
    if refusal := _of_another(path, par, scan_id, band, where):
        return Looked(str(path), refusal)
    return FoundFile(scan_id, band, path, par, where, root)


# Whose file it is -----------------------------------------------------------------------


def _of_another(path: Path, par: Path | None, scan_id: ScanId, band: str, where: str) -> str:
    """Return why a file of the right name is not of this scan, or "": a stem has no hemisphere.

    In a folder whose name does not tell the hemisphere, something else must.
    """
    said = _read_par(par)
    if said is not None:
        if other := another_in_par(said, scan_id, band):
            return f"its .par says {other}"
        if hemisphere_of(said.get("TELNAME")):
            return ""
    if where != "folder":
        return ""
    known = _hemisphere_by_names(path)
    if known is None:
        return (
            f"nothing tells its hemisphere: put it into a folder {scan_id.night} if it is "
            "of that night, or beside its .par"
        )
    return "" if known == scan_id.hemis else f"the names around it say hemisphere {known}"


def another_in_par(par: Par, scan_id: ScanId, band: str) -> str:
    """Return what a parameter file says that is another scan's, or ""."""
    hemis = hemisphere_of(par.get("TELNAME"))
    if hemis and hemis != scan_id.hemis:
        return f"hemisphere {hemis}"
    stem = str(par.get("FN_PRFX", "")).strip().lower()
    return stem if _STEM.fullmatch(stem) and stem != scan_id.stem(band) else ""


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
