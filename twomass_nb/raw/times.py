"""When each frame of a scan was taken: the time between its start and end, shared out evenly.

Headers of real Atlas Images have the time (UT) of one frame of each coadd. In all of them it is

    UT = UT_SOS + (frame + 1/2) (UT_EOS - UT_SOS) / NUMFRMS        frame = coadd - 1, from 0

to 0.005 of a frame, where SOS and EOS are the start and the end of the scan (UT_OFF1, "SOS to
frm#1 Cntr", is half a frame's share). A ``.par`` file has the same keywords by these headers'
word; so the times here are the archive's own reckoning, not a record of when a frame was read.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy import units as u
from astropy.time import Time

from ..errors import NotFoundError, ScanNameError, TableError
from ..scan import ScanId, hemisphere_of

if TYPE_CHECKING:
    from ..tables import Par
    from .reader import RawScan

__all__ = ["FrameTimes", "frame_times", "times_of"]

# Hours of UT at local noon, by longitude: 110.9 W (Mt. Hopkins) and 70.8 W (TELNAME of headers).
_NOON = {"n": 12 + 110.9 / 15, "s": 12 + 70.815 / 15}
# UT_SOS and UT_EOS of all real headers are whole seconds, and may be cut rather than rounded.
_CLOCK = 1.0
_LONGEST = 60.0  # seconds a frame; long exposures took 9


@dataclass(frozen=True)
class FrameTimes:
    """The times of a scan's frames.

    Attributes
    ----------
    middle : `~astropy.time.Time`, shape (n_frames,)
        Middle of each frame's share of the scan, UTC.
    cycle : `~astropy.units.Quantity`
        Duration of a share, from one frame to the next.
    uncertainty : `~astropy.units.Quantity`
        Most that the light of a frame may have been collected before or after `middle`: the clock
        was written in whole seconds, and where in its share a frame was read is not documented.
    day : str
        How the day is known.
    """

    middle: Time
    cycle: u.Quantity
    uncertainty: u.Quantity
    day: str


def times_of(scan: RawScan) -> FrameTimes:
    """Return the times of a raw file's frames; see `frame_times`."""
    if scan.par is None:
        msg = f"nothing says when {scan.path.name} was taken: its .par file is not beside it"
        raise NotFoundError(msg)
    return frame_times(scan.par, scan.n_frames, scan.scan_id)


def frame_times(par: Par, n_frames: int, scan_id: ScanId | None = None) -> FrameTimes:
    """Return the times of a scan's frames from what its parameter file says.

    The day is that of the night (UT date at sunrise; ``ORDATE``, or else the scan's), or the day
    before where the hour is past local noon. Only where the night is not known it is ``DATE_SOS``.

    Parameters
    ----------
    par : Par
    n_frames : int
        Frames in the file; its ``NUMFRMS``, where it has one, is what the time is shared among.
    scan_id : ScanId, optional
        The scan, as its file is named.

    Raises
    ------
    NotFoundError
        If the file does not say when the scan began and ended, or on which day.
    """
    try:
        start, end = (par.angle(key).hour for key in ("UT_SOS", "UT_EOS"))
    except TableError as error:
        msg = f"nothing says when the frames were taken: {error}"
        raise NotFoundError(msg) from None
    share = par.get("NUMFRMS", n_frames)
    length = (end - start) % 24 * 3600  # a scan may run over midnight
    good = isinstance(share, int) and share > 0 and 0 < length <= _LONGEST * share
    if not (good and 0 <= start < 24):
        msg = (
            f"nothing says when the frames were taken: {par['UT_SOS']} to {par['UT_EOS']} of the "
            f".par file is not the time of {share} frames"
        )
        raise NotFoundError(msg)
    day, source = _day(par, start, scan_id)
    cycle = length / share
    seconds = start * 3600 + (np.arange(n_frames) + 0.5) * cycle
    middle = Time(day.isoformat(), scale="utc", format="iso") + seconds * u.s
    middle.format, middle.precision = "isot", 2
    return FrameTimes(middle, cycle * u.s, (_CLOCK + cycle / 2) * u.s, source)


def _day(par: Par, hour: float, scan_id: ScanId | None) -> tuple[dt.date, str]:
    """Return the UT date at the start of a scan, and how it is known."""
    hemis = hemisphere_of(par.get("TELNAME")) or (scan_id.hemis if scan_id else None)
    night = _date(par, "ORDATE") or (scan_id.date if scan_id else None)
    if hemis and night:
        if hour < _NOON[hemis]:
            return night, "that of the night"
        return night - dt.timedelta(days=1), "the day before that of the night"
    if day := _date(par, "DATE_SOS"):
        return day, "DATE_SOS of the .par file"
    msg = (
        "nothing says on which day the frames were taken: keep the file in its night's folder, "
        "as 000529s"
    )
    raise NotFoundError(msg)


def _date(par: Par, key: str) -> dt.date | None:
    try:
        return ScanId.parse(f"{par[key]}n001").date if key in par else None
    except ScanNameError:
        return None
