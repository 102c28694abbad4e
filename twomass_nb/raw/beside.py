"""What a raw file's name, folder and neighbours say about it: scan, band, .par, other bands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotFoundError, RawFileError, ScanNameError
from ..scan import FileName, ScanId, hemisphere_of
from .inflate import is_gzip_name

if TYPE_CHECKING:
    from ..tables import Par

__all__ = ["band_of", "kind_of", "par_of", "scan_id_of", "sibling_of"]


def kind_of(path: Path) -> str:
    """Return "rds" or "rdo", by the file's name.

    Raises
    ------
    RawFileError
        If the name is of neither.
    """
    name = path.with_suffix("") if is_gzip_name(path) else path
    kind = name.suffix.lower().removeprefix(".")
    if kind not in ("rds", "rdo"):
        msg = f"{path.name} is no raw file by its name: expected .rds, .rdo, .rds.gz or .rdo.gz"
        raise RawFileError(msg)
    return kind


def _name(path: Path, hemis: str | None = None) -> FileName | None:
    """Return what a name says, None if it is of somebody's own; a contradiction is an error."""
    try:
        FileName.parse(path.name)
    except ScanNameError:
        return None
    return FileName.parse(path.absolute(), hemis)


def band_of(path: Path) -> str | None:
    """Return the band a file's name says."""
    name = _name(path)
    return name.band if name else None


def scan_id_of(path: Path, par: Par | None) -> ScanId | None:
    """Return the scan by a file's name and its folder, or TELNAME of its parameter file."""
    name = _name(path)
    if name is not None and name.scan_id is None and par is not None:
        name = _name(path, hemisphere_of(par.get("TELNAME")))
    return name.scan_id if name else None


def par_of(path: Path) -> Par | None:
    """Return what the parameter file beside a raw file says, or None if there is none."""
    from ..tables import read_par

    stem = path.name[: path.name.lower().rindex(f".{kind_of(path)}")]
    for suffix in (".par", ".par.gz"):
        beside = path.with_name(stem + suffix)
        if beside.is_file():
            return read_par(beside)
    return None


def sibling_of(path: Path, band: str) -> Path:
    """Return the file of the same scan in another band, of the same kind if there is one.

    Raises
    ------
    NotFoundError
        If it is not there, or the file's name does not follow the archive's.
    """
    if band_of(path) is None:
        msg = f"{path.name} does not say its scan: open the file of band {band} by its path"
        raise NotFoundError(msg)
    stem = band + path.name[1:8]
    for kind in dict.fromkeys((kind_of(path), "rds", "rdo")):
        for packed in (".gz", ""):
            other = path.with_name(f"{stem}.{kind}{packed}")
            if other.is_file():
                return other
    msg = f"there is no band {band} of this scan in {path.parent}: expected {stem}.rds.gz"
    raise NotFoundError(msg)
