"""How a simulated night is written: .rds.gz, .par and .lgo, each whole or not at all.

The syntax of real .par files is not known here; what is written is a guess and says so. The
.lgo has the form of the ten lines that seed 000 quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import Angle
from numpy.typing import NDArray

from ..array.geometry import ArrayGeometry
from ..array.track import ScanTrack
from ..errors import RawFileError
from ..files import whole_file
from ..raw.layout import Layout
from ..raw.packing import packed
from ..scan import ScanId
from ..tables.par import read_par

__all__ = ["LAYOUT", "Observation", "sexagesimal", "write_log", "write_par"]

#: The order in which simulated .rds files are written when none is given: high bytes first, then
#: low ones, by quadrant. That of real ones is not known, and the reader is not told of this.
LAYOUT = Layout("f b r Y X y x", high_first=True)
#: Seconds a frame: UT_EOS - UT_SOS = 407 s for 274 frames in real headers.
FRAME_TIME = 407 / 274
# The first frame's centre lies 366 to 376 arcsec after the start of scan at CTIO (headers), and
# as far as that at Mt. Hopkins in 1999.
_FROM_SOS = 371.0
# The end of scan after the last frame's centre, arcsec (header of 001022s 62).
_TO_EOS = 174.0
_SIMULATED = "\\CHAR Simulate = T"


@dataclass(frozen=True)
class Observation:
    """One scan as the observatory's log would have it.

    Parameters
    ----------
    scan_id : ScanId
    kind : {"sci", "dar", "flt"}
    track : ScanTrack
        True track of its frames.
    tile : int
        Number of the tile (STRIP_ID).
    ut : float
        Start of scan, hours of UT.
    comment : str
        Where its sky is from.
    """

    scan_id: ScanId
    kind: str
    track: ScanTrack
    tile: int = 0
    ut: float = 5.0
    comment: str = ""
    geometry: Mapping[str, ArrayGeometry] = field(default_factory=dict)

    @property
    def direction(self) -> str:
        """Way the scan goes: "n" or "s"."""
        return "s" if self.track.step < 0 else "n"

    @property
    def duration(self) -> float:
        """Seconds from start to end of scan."""
        return FRAME_TIME * self.track.n_frames

    def ends(self) -> tuple[float, float, float, float]:
        """Return RA and Dec (deg) of the start and of the end of scan."""
        sign = np.sign(self.track.step)
        length = self.track.step * (self.track.n_frames - 1)
        sos = self.track.dec - sign * _FROM_SOS / 3600
        eos = self.track.dec + (length + sign * _TO_EOS) / 3600
        sos, eos = np.clip([sos, eos], -90, 90)
        return self.track.ra, float(sos), self.track.ra, float(eos)


def sexagesimal(value: float, places: int, *, hours: bool = False, signed: bool = False) -> str:
    """Return degrees as ``[-]dd:mm:ss.s``, or as hours of angle."""
    unit = "hour" if hours else "deg"
    angle = Angle(value, "deg")
    text = angle.to_string(unit=unit, sep=":", pad=True, precision=places, alwayssign=signed)
    return str(text)


def clock(hours: float, places: int = 2) -> str:
    """Return hours as ``hh:mm:ss.ss``."""
    # rounded first, so that 59.999 s does not become 60
    return sexagesimal(round(hours * 3600, places) % 86400 / 240, places, hours=True)


def write_frames(path: Path, frames: NDArray[np.uint16], layout: Layout) -> None:
    """Write frames, gzipped and marked as simulated; the same frames give the same bytes."""
    content = np.frombuffer(layout.encode(frames), np.uint8)
    with whole_file(path) as file:
        file.writelines(packed(content, simulated=True))


def keywords(observation: Observation, band: str) -> dict[str, tuple[Any, str]]:
    """Return what headers and .par files say of a scan: keyword to value and comment."""
    scan_id, track = observation.scan_id, observation.track
    ra_sos, dec_sos, ra_eos, dec_eos = observation.ends()
    sos = observation.ut
    eos = sos + observation.duration / 3600
    return {
        "ORDATE": (f"{scan_id.date:%y%m%d}", "Observation Ref Date (yymmdd)"),
        "DAYNUM": (f"{scan_id.day_no:04d}", "Observation Day Num"),
        "FN_PRFX": (scan_id.stem(band), ".rdo and .par filename prefix"),
        "TYPE": (observation.kind, "Scan type: dar flt sci cal tst"),
        "SCANNO": (scan_id.scan, "Scan Number"),
        "SCANDIR": (observation.direction, "Scan Direction: n, s, -"),
        "STRIP_ID": (observation.tile, "Strip ID"),
        "BASE": (6, "Pixel Dwell (microsec)"),
        "TIMER0": (52, "Read1 time (millisecs)"),
        "TIMER1": (1298, "Read2-Read1 time (millisecs)"),
        "TIMER2": (51, "Secondary settling time (millisecs)"),
        "NUMFRMS": (track.n_frames, "Total Number of Frames in this Scan"),
        "TELNAME": ("CTIO" if scan_id.hemis == "s" else "MT. HOPKINS", "Telescope"),
        "FILTER": (band, "Band: j, h, k"),
        "GRP2_SOS": ("SOS", "Bgn Group#2 .par params at SOS"),
        "UT_SOS": (clock(sos), "Scan Reference UT  (SOS) (sxgsml)"),
        "RA_SOS": (sexagesimal(ra_sos, 2, hours=True), "Scan Reference RA at SOS, epoch 2000"),
        "DEC_SOS": (sexagesimal(dec_sos, 1, signed=True), "Scan Reference Dec at SOS, epoch 2000"),
        "GRP2_EOS": ("EOS", "Bgn Group#2 .par params at EOS"),
        "UT_EOS": (clock(eos), "UT  at EOS (sxgsml)"),
        "RA_EOS": (sexagesimal(ra_eos, 2, hours=True), "RA  at EOS, epoch 2000 (sxgsml)"),
        "DEC_EOS": (sexagesimal(dec_eos, 1, signed=True), "Dec at EOS, epoch 2000 (sxgsml)"),
    }


def _card(key: str, value: Any, comment: str) -> str:
    if isinstance(value, bool):
        text = "T" if value else "F"
    elif isinstance(value, str):
        text = f"'{value:<8}'"
    else:
        text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return f"{key:<8}= {text:>20} / {comment}"


def write_par(path: Path, observation: Observation, band: str) -> None:
    """Write a scan's parameter file, with its true track."""
    track, geometry = observation.track, observation.geometry[band]
    lines = [
        "# SIMULATED by twomass_nb: this scan never was, and the syntax of this file is a guess",
        _card("SIMULATE", True, "this is a simulation"),
    ]
    if observation.comment:
        lines += [f"COMMENT {part}" for part in observation.comment.splitlines()]
    lines += [_card(key, *said) for key, said in keywords(observation, band).items()]
    rotation, scale = float(geometry.rotation.value), float(geometry.plate_scale.value)
    lines += [
        "# The true track of the simulation: real files have nothing like it",
        _card("TRK_RA", float(track.ra), "RA of the first frame's centre (deg)"),
        _card("TRK_DEC", float(track.dec), "Dec of the first frame's centre (deg)"),
        _card("TRK_PA", float(track.pa), "PA of northward along the scan there (deg)"),
        _card("TRK_STEP", float(track.step), "step of a frame (arcsec, south < 0)"),
        _card("TRK_ROT", rotation, "array rotation atan(DXFS/DYFS) (deg)"),
        _card("TRK_SCAL", scale, "plate scale (arcsec/pixel)"),
    ]
    with whole_file(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def log_line(observation: Observation) -> str:
    """Return a scan's line of the night's log."""
    ra, dec, *_ = observation.ends()
    return (
        f" {observation.scan_id.scan:03d} {clock(observation.ut)} {observation.tile:>6} -"
        f" {sexagesimal(ra, 2, hours=True)} {sexagesimal(dec, 1, signed=True)} 1.000  "
        f" {observation.track.n_frames:03d} {observation.direction} {observation.kind} SIMULATED"
    )


def write_log(folder: Path, observations: list[Observation]) -> None:
    """Write a night's .lgo; lines of other simulated scans that are in it are kept.

    Raises
    ------
    RawFileError
        If the log that is there is not a simulated one.
    """
    scan_id = observations[0].scan_id
    path = folder / f"{scan_id.night}.lgo"
    lines: dict[int, str] = {}
    if path.exists():
        refuse_real(folder, scan_id)
        for line in path.read_text().splitlines():
            if match := re.match(r" (\d{3}) ", line):
                lines[int(match[1])] = line
    lines |= {one.scan_id.scan: log_line(one) for one in observations}
    rule = "\\" + "-" * 92
    head = [
        f"\\CHAR Logfile  = {scan_id.night}.lgo",
        f"\\CHAR ORDate   = {scan_id.date:%y%m%d} \\CHAR Hemisp   = {scan_id.hemis}",
        f"\\CHAR DayNum   = {scan_id.day_no:04d}",
        _SIMULATED,
        rule,
        "|Scn| sr_UT     |StrpID|R|sr_RA_2000 |sr_Dec_2000| Air_M|Frms|D|Typ| Comment".ljust(93)
        + "|",
        "| c | char      | int  |c| char      | char      | real | int|c| c | char".ljust(93) + "|",
        rule,
    ]
    with whole_file(path) as file:
        file.write(("\n".join(head + [lines[n] for n in sorted(lines)]) + "\n").encode())


def refuse_real(folder: Path, scan_id: ScanId) -> None:
    """Never write into a night that is not simulated.

    Raises
    ------
    RawFileError
        If the folder's log or a raw file of this scan is not simulated.
    """
    log = folder / f"{scan_id.night}.lgo"
    if log.exists():
        real = _SIMULATED not in log.read_text(errors="replace")
    else:
        pars = {raw.with_name(raw.name.split(".")[0] + ".par") for raw in folder.glob("*.rd[so]*")}
        real = any(not p.exists() or not read_par(p).simulated for p in pars)
    if real:
        msg = f"{folder} holds a night that is not simulated: give another folder to simulate into"
        raise RawFileError(msg)
