"""What the FITS image of a raw frame is called, and what it holds, after the archive's raw2fits."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astropy.io import fits
from numpy.typing import NDArray

from ..errors import NotFoundError
from ..files import refuse_existing, whole_file
from .fits_header import (
    EXPOSURES,
    add_read,
    add_source,
    add_time,
    add_wcs,
    header_of,
    known_or_comment,
    stem,
)

if TYPE_CHECKING:
    from .reader import RawScan

__all__ = ["write_frame"]


def write_frame(
    scan: RawScan, i: int, read: str, path: str | PathLike[str] | None, overwrite: bool
) -> Path:
    """Write one read of a frame as a FITS image.

    Parameters
    ----------
    scan : RawScan
    i : int
        Frame, counted from 0.
    read : {"r1", "r2", "r2-r1"}
        uint16 for the reads; int32 for their difference, which may be negative.
    path : path or None
        File, or folder for a name as raw2fits gave (``j1186063_r2-r1_220.fits``); the current
        folder if not given.
    overwrite : bool
        Replace the file if it is there.

    Returns
    -------
    path
        The file. Its header has scan, time, predicted WCS (TAN) and provenance; what is not known
        is missing from it, with a comment that says why.

    Raises
    ------
    NotFoundError
        If there is no such frame or read.
    ExistsError
        If the file is there already.
    """
    if read not in EXPOSURES:
        msg = f"{read!r} is not a read: use 'r1', 'r2' or 'r2-r1'"
        raise NotFoundError(msg)
    pixels: NDArray[Any]
    pixels = scan.difference(i) if read == "r2-r1" else scan.frame(i)[("r1", "r2").index(read)]
    target = Path(path) if path is not None else Path()
    if target.is_dir():
        target = target / f"{stem(scan)}_{read}_{i}.fits"
    refuse_existing(target, overwrite)
    image = fits.PrimaryHDU(pixels, _header(scan, i, read))
    with whole_file(target) as file:
        image.writeto(file, output_verify="exception", checksum=True)
    return target


def _header(scan: RawScan, i: int, read: str) -> fits.Header:
    header = header_of(scan, f"frame {i} {read}")
    header["FRAME"] = (i, "frame of the scan, counted from 0")
    add_read(header, read)
    if times := known_or_comment(header, "times", lambda: scan.times):
        add_time(header, times, i)
    if wcs := known_or_comment(header, "WCS", lambda: scan.wcs(i)):
        add_wcs(header, wcs, scan.track)
    add_source(header, scan)
    return header
