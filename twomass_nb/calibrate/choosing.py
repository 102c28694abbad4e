"""Which darks and twilights a scan is calibrated with: the nearest in date, of its hardware."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CalibrationError, NotFoundError, TwomassError
from ..night import Night, open_night
from ..night.places import holdings_of, list_folder
from ..scan import BAND_NAMES, ScanId, parse_band
from .calibrator import Calibrator
from .making import from_scans
from .matching import events_between

if TYPE_CHECKING:
    from ..raw import RawScan

__all__ = ["Choice", "nearest"]

_NIGHT = re.compile(r"\d{6}[ns]", re.IGNORECASE)
_DISK_OR_TAPE = re.compile(r"[ns]\d{2}|raw[ns]\d{3,6}[ns]?", re.IGNORECASE)
Places = Night | str | PathLike[str]
_KINDS = ("dark", "twilight")


@dataclass(frozen=True)
class Choice:
    """The darks and twilights chosen for a scan; made by `nearest`.

    Attributes
    ----------
    scan_id : ScanId
    band : {"j", "h", "k"}
    darks, twilights : tuple of ScanId
        Each of one night.
    reasons : tuple of str
        What was chosen, what was passed over, and why.
    simulated : bool
    """

    scan_id: ScanId
    band: str
    darks: tuple[ScanId, ...]
    twilights: tuple[ScanId, ...]
    reasons: tuple[str, ...]
    simulated: bool
    _nights: tuple[Night, Night]

    @property
    def files(self) -> tuple[Path, ...]:
        """The raw files of these scans in this band; several where a scan is there twice."""
        return tuple(
            entry.path
            for night, scans in zip(self._nights, (self.darks, self.twilights), strict=True)
            for entry in night.raw_files
            if entry.band == self.band and entry.scan in {one.scan for one in scans}
        )

    def calibrator(self) -> Calibrator:
        """Make the calibrator."""
        opened: list[list[RawScan]] = [
            [night.open(scan, self.band) for scan in scans]
            for night, scans in zip(self._nights, (self.darks, self.twilights), strict=True)
        ]
        return from_scans(*opened)

    def __repr__(self) -> str:
        mark = ", SIMULATED" if self.simulated else ""
        darks, twilights = (" ".join(map(str, some)) for some in (self.darks, self.twilights))
        return (
            f"<Choice for {self.scan_id} {BAND_NAMES[self.band]}: darks {darks}; "
            f"twilights {twilights}{mark}>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        items = "".join(f"<li>{escape(reason)}</li>" for reason in self.reasons)
        return f"{escape(repr(self)[1:-1])}<ul>{items}</ul>"


def nearest(
    scan_id: ScanId | str | RawScan, nights: Places | Iterable[Places], band: str | None = None
) -> Choice:
    """Choose the darks and the twilights nearest in date, never across a change of hardware.

    Parameters
    ----------
    scan_id : ScanId, str or RawScan
        What is to be calibrated; an open scan says its band, too.
    nights : Night or path, or several
        Nights; or folders: of a night (``000529s``), a tape, a disk with its nights, or of disks
        and tapes.
    band : {"j", "h", "k"}, optional

    Returns
    -------
    Choice
        Its ``calibrator()`` makes the calibrator; its ``reasons`` say what was chosen and why.

    Raises
    ------
    CalibrationError
        If no night of the same site and state of the hardware has any.
    """
    simulated = None
    if not isinstance(scan_id, (ScanId, str)):
        scan = scan_id
        if scan.scan_id is None:
            msg = f"the date and site of {scan.path.name} are not known: give its ScanId"
            raise CalibrationError(msg)
        scan_id, band, simulated = scan.scan_id, band or scan.band, scan.simulated
    scan_id = ScanId.parse(scan_id)  # type: ignore[arg-type]
    if band is None:
        msg = f"say for which band {scan_id} is to be calibrated: band='j', 'h' or 'k'"
        raise CalibrationError(msg)
    return _Search(scan_id, parse_band(band), simulated).among(_found(nights))


class _Search:
    """Goes through nights, the nearest first, until it has darks and twilights."""

    def __init__(self, scan_id: ScanId, band: str, simulated: bool | None) -> None:
        self.scan_id, self.band, self.simulated = scan_id, band, simulated
        self.reasons: list[str] = []
        self.chosen: dict[str, tuple[Night, list[ScanId]]] = {}

    def among(self, places: Iterable[tuple[str, Night | Path]]) -> Choice:
        """Return the choice.

        Raises
        ------
        CalibrationError
            If there is nothing to choose.
        """
        candidates = [
            (ScanId.parse(f"{name}001"), place)
            for name, place in places
            if name[-1] == self.scan_id.hemis
        ]
        candidates.sort(key=lambda one: (abs(one[0].date - self.scan_id.date), one[0]))
        for night_id, place in candidates:
            if len(self.chosen) == len(_KINDS):
                break
            if events := events_between(self.scan_id.hemis, self.scan_id.date, night_id.date):
                self.reasons.append(f"{night_id.night} not used: {events[0].what} in between")
                continue
            self._take(night_id, place)
        missing = [kind for kind in _KINDS if kind not in self.chosen]
        if missing:
            raise self._nothing(missing, len(candidates))
        (darks, of_darks), (twilights, of_twilights) = (self.chosen[kind] for kind in _KINDS)
        return Choice(
            self.scan_id, self.band, tuple(of_darks), tuple(of_twilights), tuple(self.reasons),
            darks.simulated, (darks, twilights),
        )  # fmt: skip

    def _take(self, night_id: ScanId, place: Night | Path) -> None:
        """Take what a night has and is still wanted."""
        try:
            night = place if isinstance(place, Night) else open_night(place, night_id.night)
        except TwomassError as error:
            self.reasons.append(f"{night_id.night} not used: {error}")
            return
        if self.simulated is None:
            self.simulated = night.simulated
        if night.simulated != self.simulated:
            kinds = ("real", "SIMULATED")
            text = f"it is {kinds[night.simulated]}, others are {kinds[self.simulated]}"
            self.reasons.append(f"{night.name} not used: {text}")
            return
        days = abs((night.date - self.scan_id.date).days)
        away = f"{days} {'day' if days == 1 else 'days'} away" if days else "the same night"
        for kind, scans in zip(
            _KINDS, (night.darks(self.band), night.twilights(self.band)), strict=True
        ):
            if kind in self.chosen:
                continue
            if scans:
                self.chosen[kind] = (night, scans)
                names = ", ".join(str(scan) for scan in scans)
                self.reasons.append(f"{kind}s {names}: the nearest, {away}")
            else:
                self.reasons.append(f"{night.name} ({away}) has no {kind} in {self.band}")

    def _nothing(self, missing: list[str], nights: int) -> CalibrationError:
        why = f" ({self.reasons[-1]})" if self.reasons else ""
        msg = (
            f"no {' and no '.join(missing)} scan for {self.scan_id} {BAND_NAMES[self.band]} in "
            f"{nights} nights of its site{why}: name folders of nights nearer in date"
        )
        return CalibrationError(msg)


# Where nights are -------------------------------------------------------------------------


def _found(nights: Places | Iterable[Places]) -> Iterator[tuple[str, Night | Path]]:
    """Yield the name and the place of each night."""
    several: Iterable[Places]
    several = [nights] if isinstance(nights, (Night, str, PathLike)) else nights
    for one in several:
        if isinstance(one, Night):
            yield one.name, one
        else:
            yield from _below(Path(one).expanduser())


def _below(path: Path, depth: int = 2) -> Iterator[tuple[str, Path]]:
    """Yield the nights in a folder, on a disk or tape, or on several: nothing deeper."""
    if not path.is_dir():
        msg = f"there is no folder {path}: name the folder of a night, a disk or a tape"
        raise NotFoundError(msg)
    if _NIGHT.fullmatch(path.name):
        yield path.name.lower(), path
        return
    listed = list_folder(path)
    for held in holdings_of(listed):
        if held.hemis is not None and held.files:
            yield held.night, path
    for child in listed.below:
        if _NIGHT.fullmatch(child.name) or (depth > 1 and _DISK_OR_TAPE.fullmatch(child.name)):
            yield from _below(child, depth - 1)
