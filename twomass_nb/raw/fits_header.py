"""What the header of a raw frame or cube says: scan, time, place in the sky, where it is from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS

from .. import __version__
from ..errors import TwomassError
from ..scan import BAND_NAMES

if TYPE_CHECKING:
    from ..array import ScanTrack
    from .reader import RawScan
    from .times import FrameTimes

__all__ = [
    "EXPOSURES", "add_read", "add_source", "add_time", "add_wcs", "header_of", "known_or_comment",
    "stem",
]  # fmt: skip

#: Seconds between reset and read, and between the reads (TIMER0, TIMER1 of real headers; some
#: pages of IPAC's have 51 ms for the first).
EXPOSURES = {"r1": 0.052, "r2": 1.350, "r2-r1": 1.298}

_PARAMETERS = {
    "STRIP_ID": "tile (.par)",
    "TYPE": "type of scan: sci cal flt dar ... (.par)",
    "SCANDIR": "direction of the scan: n, s, - (.par)",
    "DATE_SOS": "date at the start of the scan, yymmdd (.par)",
    "UT_SOS": "UT at the start of the scan (.par)",
    "UT_EOS": "UT at the end of the scan (.par)",
}


def stem(scan: RawScan) -> str:
    """Return the name of a raw file without its suffixes, as ``j1186063``."""
    return scan.path.name.removesuffix(".gz").rpartition(".")[0]


def header_of(scan: RawScan, what: str) -> fits.Header:
    """Return the first cards: what it is a picture of, and by what."""
    header = fits.Header()
    mark = "SIMULATED" if scan.simulated else ""
    _say(header, "OBJECT", f"{stem(scan)} {what}", mark)
    if scan.simulated:
        header["SIMULATE"] = (True, "simulated: no telescope has seen this")
    header["ORIGIN"] = ("2MASS", "Two Micron All Sky Survey, raw frames")
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
    header["NUMFRMS"] = (scan.n_frames, "frames in the raw file")
    if scan.truncated:
        header["CUTOFF"] = (True, "the raw file is cut off after its last frame")
    for key, comment in _PARAMETERS.items():
        if scan.par is not None and key in scan.par:
            _say(header, key, scan.par[key], comment)
    return header


def add_read(header: fits.Header, read: str) -> None:
    """Say which read the pixels are."""
    header["READ"] = (read, "r1, r2 or their difference")
    header["EXPTIME"] = (EXPOSURES[read], "[s] since the reset; r2-r1: between reads")
    header["BUNIT"] = ("DN", "data numbers as read out")


def known_or_comment(header: fits.Header, what: str, ask: Callable[[], Any]) -> Any:
    """Return the answer, or None after a comment that says why there is none."""
    try:
        return ask()
    except TwomassError as reason:
        header["COMMENT"] = _ascii(f"No {what}: {reason}")
        return None


def add_time(header: fits.Header, times: FrameTimes, first: int, last: int | None = None) -> None:
    """Say when a frame was taken, or frames `first` to `last`."""
    half = times.cycle / 2
    header["TIMESYS"] = ("UTC", "scale of the times")
    if last is None:
        _add_date(header, "OBS", times.middle[first], "middle of the frame's share of time")
    else:
        _add_date(header, "OBS", times.middle[first] - half, "start of the first frame")
        _add_date(header, "BEG", times.middle[first] - half, "start of the first frame")
        _add_date(header, "END", times.middle[last] + half, "end of the last frame")
    header["TIMEUNIT"] = ("s", "unit of TIMSYER")
    error = float(times.uncertainty.to_value("s"))
    header["TIMSYER"] = (round(error, 2), "[s] most that a time may be off")
    header["COMMENT"] = (
        "Times: frames share the time from UT_SOS to UT_EOS evenly; the clock is in "
        f"whole seconds; the day is {times.day}."
    )


def _add_date(header: fits.Header, which: str, time: Time, what: str) -> None:
    header[f"DATE-{which}"] = (time.isot, f"[UTC] {what}")
    header[f"MJD-{which}"] = (round(float(time.mjd), 8), "[d] the same")


def add_wcs(header: fits.Header, wcs: WCS, track: ScanTrack) -> None:
    """Say where it is on the sky, and how well that is known."""
    header.update(wcs.to_header())
    along, across = track.uncertainty
    header["WCSNAME"] = ("true of the simulation" if track.source == "sim" else "predicted", "")
    header["WCSERRY"] = (float(along), "[arcsec] uncertainty along the scan")
    header["WCSERRX"] = (float(across), "[arcsec] uncertainty across the scan")


def add_source(header: fits.Header, scan: RawScan) -> None:
    """Say which file the pixels are from, how its bytes were read, and by what."""
    _say(header, "SRCFILE", scan.path.name, "raw file")
    header["SRCSIZE"] = (scan.path.stat().st_size, "[byte] its size")
    _say(header, "SHA256", _hash(scan.path), "of the raw file")
    _say(header, "LAYOUT", str(scan.layout), "word order it was read in")
    _say(header, "LAYSRC", scan.layout_source, "how that is known")
    header["CREATOR"] = (f"twomass_nb {__version__}", "software")
    header["COMMENT"] = "SHA256 is that of the raw file. Frames are counted from 0."


def _hash(path: Path) -> str:
    status = path.stat()
    return _hash_of(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash_of(path: Path, size: int, changed: int) -> str:
    """Hash a file once for all its frames: size and time are there to notice another content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _say(header: fits.Header, key: str, value: Any, comment: str) -> None:
    """Set a card to what others wrote; its comment is left out where it finds no room."""
    if isinstance(value, float) and not np.isfinite(value):
        value = str(value)  # which FITS has no number for
    if isinstance(value, str):
        value = _ascii(value)
        room = 65 - len(value.replace("'", "''"))
        if room < -3:
            header["LONGSTRN"] = ("OGIP 1.0", "long texts are continued")
        elif room < len(comment):
            comment = ""
    header[key] = (value, comment)


def _ascii(text: str) -> str:
    """Return a text as a header can hold it: one line of printable ASCII."""
    words = " ".join(text.split())
    return "".join(c if " " <= c <= "~" else "?" for c in words)
