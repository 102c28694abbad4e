"""What a raw frame is called and says of itself as a FITS image, after the archive's raw2fits."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astropy.io import fits
from numpy.typing import NDArray

from .. import __version__
from ..errors import NotFoundError, TwomassError
from ..files import refuse_existing, whole_file
from ..scan import BAND_NAMES

if TYPE_CHECKING:
    from .reader import RawScan

__all__ = ["EXPOSURES", "write_frame"]

#: Seconds between reset and read, and between the reads (TIMER0, TIMER1 of real headers; some
#: pages of IPAC's have 51 ms for the first).
EXPOSURES = {"r1": 0.052, "r2": 1.350, "r2-r1": 1.298}


def write_frame(
    scan: RawScan, i: int, read: str, path: str | PathLike[str] | None, overwrite: bool
) -> Path:
    """Write one read of a frame; see `RawScan.to_fits`."""
    if read not in EXPOSURES:
        msg = f"{read!r} is not a read: use 'r1', 'r2' or 'r2-r1'"
        raise NotFoundError(msg)
    pixels: NDArray[Any]
    pixels = scan.difference(i) if read == "r2-r1" else scan.frame(i)[("r1", "r2").index(read)]
    target = Path(path) if path is not None else Path()
    if target.is_dir():
        target = target / f"{_stem(scan)}_{read}_{i}.fits"
    refuse_existing(target, overwrite)
    with whole_file(target) as file:
        fits.PrimaryHDU(pixels, _header(scan, i, read)).writeto(file, output_verify="exception")
    return target


def _stem(scan: RawScan) -> str:
    return scan.path.name.removesuffix(".gz").rpartition(".")[0]


def _header(scan: RawScan, i: int, read: str) -> fits.Header:
    header = fits.Header()
    header["OBJECT"] = (f"{_stem(scan)} frame {i} {read}", "SIMULATED" if scan.simulated else "")
    if scan.simulated:
        header["SIMULATE"] = (True, "simulated: no telescope has seen this")
    header["ORIGIN"] = ("2MASS", "Two Micron All Sky Survey, raw frame")
    _add_identity(header, scan)
    header["FRAME"] = (i, "frame of the scan, counted from 0")
    header["NUMFRMS"] = (scan.n_frames, "frames in this file")
    header["READ"] = (read, "r1, r2 or their difference")
    header["EXPTIME"] = (EXPOSURES[read], "[s] since the reset; r2-r1: between reads")
    header["BUNIT"] = ("DN", "data numbers as read out")
    if scan.par is not None:
        for key in ("STRIP_ID", "TYPE", "SCANDIR", "DATE_SOS", "UT_SOS", "UT_EOS"):
            if key in scan.par:
                header[key] = (scan.par[key], scan.par.comments.get(key, ""))
    _add_wcs(header, scan, i)
    header["SRCFILE"] = (scan.path.name, "raw file")
    header["SRCSHA1"] = (_hash(scan.path), "SHA-1 of the raw file")
    header["LAYOUT"] = (str(scan.layout), "word order it was read in")
    header["CREATOR"] = (f"twomass_nb {__version__}", "software")
    return header


def _add_identity(header: fits.Header, scan: RawScan) -> None:
    if scan.scan_id is not None:
        sid = scan.scan_id
        header["ORDATE"] = (f"{sid.date:%y%m%d}", "observation reference date (yymmdd)")
        header["DAYNUM"] = (f"{sid.day_no:04d}", "survey day number, 1997-03-01 is 1")
        header["SCANNO"] = (sid.scan, "scan number")
        header["HEMIS"] = (sid.hemis, "n Mt. Hopkins, s Cerro Tololo (CTIO)")
        header["TELESCOP"] = ("CTIO 1.3m" if sid.hemis == "s" else "Mt. Hopkins 1.3m", "")
        if scan.band:
            header["FN_PRFX"] = (sid.stem(scan.band), "stem of the raw file's name")
    if scan.band:
        header["FILTER"] = (scan.band, f"band: {BAND_NAMES[scan.band]}")
    header["INSTRUME"] = ("2MASS camera", "NICMOS3 256 x 256 array")


def _add_wcs(header: fits.Header, scan: RawScan, i: int) -> None:
    try:
        wcs, track = scan.wcs(i), scan.track
    except TwomassError as reason:
        header["COMMENT"] = f"No WCS: {' '.join(str(reason).split())}"
        return
    header.update(wcs.to_header())
    along, across = track.uncertainty
    header["WCSNAME"] = ("true of the simulation" if track.source == "sim" else "predicted", "")
    header["WCSERRY"] = (float(along), "[arcsec] uncertainty along the scan")
    header["WCSERRX"] = (float(across), "[arcsec] uncertainty across the scan")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
