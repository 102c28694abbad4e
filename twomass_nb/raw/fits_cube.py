"""How all frames of a scan become one FITS file: two cubes, R1 and R2, and a table of the frames.

One cube a read, and not one array of four axes, because this is what readers of FITS show as it
is: a slider for the frame, a choice of extension for the read. Compressed, each frame of a read
is one tile, so that a reader takes one frame without unpacking the others.

The frames of a scan follow each other along a great circle, so one WCS holds for the whole cube:
its third axis is the frame, and moves the sky. With the zenithal equidistant projection (ARC)
distances along the track are exact, and at 3 degrees from the middle, where the first and last
frames of a survey scan are, what lies across it is off by at most 0.13 arcsec, in the corners of a
frame. The table has each frame's own (TAN) WCS.
"""

from __future__ import annotations

import hashlib
import sys
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.typing import NDArray
from tqdm import tqdm

from ..array import ArrayGeometry, ScanTrack
from ..errors import NotFoundError
from ..files import refuse_existing, whole_file
from .fits_header import (
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

__all__ = ["READS", "cube_wcs", "rdo_hash", "write_cube"]

#: The extensions that hold the reads.
READS = {"R1": "r1", "R2": "r2"}

_MEANINGS = {
    "FRAME": "frame of the scan, counted from 0",
    "UT": "middle of the frame's share of the scan (UTC)",
    "MJD": "the same",
    "RA": "predicted centre (ICRS), CRVAL of its TAN WCS",
    "DEC": "predicted centre (ICRS), CRVAL of its TAN WCS",
    "CD": "CD1_1 CD1_2 CD2_1 CD2_2 about CRPIX 128.5 128.5",
}


def write_cube(
    scan: RawScan,
    path: str | PathLike[str] | None = None,
    frames: range | None = None,
    compress: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write both reads of all frames, or of some that follow each other, into one FITS file.

    Parameters
    ----------
    scan : RawScan
    path : path, optional
        File, or folder for a name like ``j1186063_cube.fits`` or ``j1186063_cube_220-230.fits``;
        the current folder if not given.
    frames : range, optional
        As ``range(220, 231)``; all if not given. Only of all frames `convert` makes the raw file
        again.
    compress : bool, optional
        Compress by tiles (RICE_1, which loses nothing), a frame of a read a tile.
    overwrite : bool, optional
        Replace the file if it is there.

    Returns
    -------
    path
        The file: a primary header, the extensions R1 and R2 of uint16, shape (n, 256, 256), and
        the table FRAMES: time, predicted position and WCS of each.

    Raises
    ------
    NotFoundError
        If there are no such frames.
    ExistsError
        If the file is there already.
    """
    frames = _checked(scan, frames)
    target = Path(path) if path is not None else Path()
    if target.is_dir():
        whole = len(frames) == scan.n_frames
        some = "" if whole else f"_{frames[0]}-{frames[-1]}"
        target = target / f"{stem(scan)}_cube{some}.fits"
    refuse_existing(target, overwrite)
    words = scan.frames[frames.start : frames.stop]
    images = [_image(scan, name, words[:, k], frames, compress) for k, name in enumerate(READS)]
    cube = fits.HDUList([_primary(scan, words, frames), *images, _table(scan, frames)])
    with whole_file(target) as file, _shown(file, target) as stream:
        cube.writeto(stream, output_verify="exception", checksum=True)
    return target


def _checked(scan: RawScan, frames: range | None) -> range:
    if frames is None:
        return range(scan.n_frames)
    if not isinstance(frames, range) or frames.step != 1 or not frames:
        msg = f"{frames!r} is not a range of frames: give it as range(first, last + 1)"
        raise NotFoundError(msg)
    scan.check_frame(frames[0]), scan.check_frame(frames[-1])
    return frames


def _shown(file: Any, target: Path) -> Any:
    """Return the open file, with the bytes written to it shown in a terminal."""
    return tqdm.wrapattr(
        file, "write", desc=f"writing {target.name}", unit="B", unit_scale=True, delay=1,
        leave=False, disable=not sys.stderr.isatty(),
    )  # fmt: skip


def _primary(scan: RawScan, words: NDArray[np.uint16], frames: range) -> fits.PrimaryHDU:
    header = header_of(scan, f"frames {frames[0]} to {frames[-1]}")
    header["RAWCUBE"] = (True, "r1 and r2 of frames that follow each other")
    header["FRAME1"] = (frames[0], "first frame in here, counted from 0")
    header["FRAME2"] = (frames[-1], "last frame in here")
    if times := known_or_comment(header, "times", lambda: scan.times):
        add_time(header, times, frames[0], frames[-1])
    add_source(header, scan)
    if len(frames) == scan.n_frames:
        header["RDOSHA"] = rdo_hash(words, scan.layout.high_first)
        header["COMMENT"] = "RDOSHA is the SHA-256 of the .rdo file that these words make."
    return fits.PrimaryHDU(header=header)


def rdo_hash(frames: NDArray[np.uint16], high_first: bool) -> str:
    """Return the SHA-256 of the ``.rdo`` file that holds `frames`, without making it."""
    known = hashlib.sha256()
    for at in range(0, len(frames), 16):
        words = np.ascontiguousarray(frames[at : at + 16], ">u2" if high_first else "<u2")
        known.update(words.data)
    return known.hexdigest()


def _image(
    scan: RawScan, name: str, pixels: NDArray[np.uint16], frames: range, compress: bool
) -> fits.ImageHDU:
    header = fits.Header()
    header["INHERIT"] = (True, "the primary header holds for this extension too")
    if scan.simulated:
        header["SIMULATE"] = (True, "simulated: no telescope has seen this")
    add_read(header, READS[name])
    track = known_or_comment(header, "WCS", lambda: (scan.geometry(), scan.track)[1])
    if track:
        add_wcs(header, cube_wcs(track, scan.geometry(), frames), track)
    if compress:
        return fits.CompImageHDU(
            pixels, header, name, compression_type="RICE_1", tile_shape=(1, 256, 256)
        )
    return fits.ImageHDU(pixels, header, name)


def cube_wcs(track: ScanTrack, geometry: ArrayGeometry, frames: range) -> WCS:
    """Return the WCS of frames that follow each other: pixel x, y and frame to RA, Dec, frame.

    Parameters
    ----------
    track : ScanTrack
    geometry : ArrayGeometry
    frames : range
        Their step is 1.

    Returns
    -------
    `~astropy.wcs.WCS`
        Of three axes; ``wcs[k]`` is the celestial WCS of frame ``frames[k]``.
    """
    middle = frames[len(frames) // 2]
    one = track.wcs(middle, geometry).wcs
    pa = np.deg2rad(track.pa_at(middle))
    wcs = WCS(naxis=3)
    wcs.wcs.ctype = ["RA---ARC", "DEC--ARC", "FRAME"]
    wcs.wcs.cunit = ["deg", "deg", ""]
    wcs.wcs.crpix = [*one.crpix, middle - frames[0] + 1]
    wcs.wcs.crval = [*one.crval, middle]
    cd = np.eye(3)
    cd[:2, :2] = one.cd
    cd[:2, 2] = track.step / 3600 * np.array([np.sin(pa), np.cos(pa)])
    wcs.wcs.cd = cd
    wcs.wcs.radesys = "ICRS"
    wcs.array_shape = (len(frames), *track.wcs(middle, geometry).array_shape)
    return wcs


def _table(scan: RawScan, frames: range) -> fits.BinTableHDU:
    """Return when and where each frame was taken; columns are missing where nothing says it."""
    table, header = QTable({"FRAME": np.array(frames, np.int16)}), fits.Header()
    if times := known_or_comment(header, "times", lambda: scan.times):
        middle = times.middle[frames.start : frames.stop]
        table["UT"] = middle.isot
        table["MJD"] = middle.mjd * u.day
        header["TIMESYS"] = ("UTC", "scale of the times")
    if where := known_or_comment(header, "WCS", lambda: (scan.track, scan.geometry())):
        track, geometry = where
        center = track.center(np.array(frames))
        table["RA"], table["DEC"] = center.ra, center.dec
        cd = [track.wcs(i, geometry).wcs.cd.ravel() for i in frames]
        table["CD"] = np.array(cd) * u.deg / u.pix
    if scan.simulated:
        header["SIMULATE"] = (True, "simulated: no telescope has seen this")
    hdu = fits.BinTableHDU(table, header, "FRAMES")
    for k, name in enumerate(table.colnames, 1):
        hdu.header.comments[f"TTYPE{k}"] = _MEANINGS[name]
    return hdu
