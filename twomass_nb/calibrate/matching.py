"""Which scans may calibrate which: of one band, site and state of hardware, all real or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..array.hardware import HARDWARE_EVENTS, HardwareEvent
from ..errors import CalibrationError
from ..scan import ScanId
from .leftout import name_of

if TYPE_CHECKING:
    import datetime as dt

    from ..raw import RawScan

__all__ = [
    "events_between",
    "require_match",
    "require_no_event",
    "require_one_kind",
    "require_type",
    "require_usual_exposure",
]

# Types of scans with exposures six times as long.
_LONG = ("lsc", "lca", "lda")


def events_between(hemis: str, one: dt.date, other: dt.date) -> list[HardwareEvent]:
    """Return changes of hardware that lie, or may lie, between two nights of a site.

    Where only the month of a change is known, any two nights in it may be on different sides.
    """
    early, late = sorted((one, other))
    if early == late:
        return []
    return [
        event
        for event in HARDWARE_EVENTS
        if event.hemis == hemis and early < event.new_from and late > event.old_until
    ]


def require_type(scans: Sequence[RawScan], wanted: Iterable[str], what: str) -> None:
    """Refuse scans whose parameter file says that they are of another type.

    Raises
    ------
    CalibrationError
    """
    wanted = tuple(wanted)
    for scan in scans:
        said = _type_of(scan)
        if said and said not in wanted:
            msg = (
                f"{name_of(scan)} is no {what} scan, its .par says type {said!r}: give scans of "
                f"type {' or '.join(wanted)}"
            )
            raise CalibrationError(msg)


def require_usual_exposure(scan: RawScan) -> None:
    """Refuse a scan of long exposures, six times the usual: the darks here are not for those.

    Raises
    ------
    CalibrationError
    """
    said = _type_of(scan)
    if said in _LONG:
        msg = f"{name_of(scan)} has long exposures (type {said}): they need darks of type lda"
        raise CalibrationError(msg)


def _type_of(scan: RawScan) -> str:
    """Return the type of a scan by its parameter file, "" if it does not say."""
    return str(scan.par.get("TYPE", "") if scan.par else "").strip().lower()


def require_one_kind(scans: Sequence[RawScan]) -> None:
    """Refuse scans that do not belong together.

    Raises
    ------
    CalibrationError
        If they are of several bands or sites, of a time across a change of hardware, or some of
        them are simulated and others are not.
    """
    for scan in scans:
        if scan.band is None:
            msg = (
                f"the band of {name_of(scan)} is not known: open it with open_scan(path, band=...)"
            )
            raise CalibrationError(msg)
    first = scans[0]
    for scan in scans[1:]:
        require_match(scan, first.band, first.simulated, [name_of(first)])
    dated = sorted(scan.scan_id for scan in scans if scan.scan_id is not None)
    if dated:
        require_no_event(dated[0], dated[-1])


def require_match(scan: RawScan, band: str | None, simulated: bool, others: Sequence[str]) -> None:
    """Refuse a scan that does not belong to others, given by their names.

    Raises
    ------
    CalibrationError
    """
    what = f"{name_of(scan)} and {others[0]}"
    if scan.band != band:
        msg = f"{what} are of bands {scan.band} and {band}: use scans of one band"
        raise CalibrationError(msg)
    if scan.simulated != simulated:
        msg = f"of {what} one is SIMULATED, the other is not: keep them apart"
        raise CalibrationError(msg)
    if scan.scan_id is not None:
        for other in _dated(others):
            require_no_event(scan.scan_id, other)


def _dated(names: Iterable[str]) -> list[ScanId]:
    """Return the first and the last of the scans named; files of other names have no date."""
    found = sorted(ScanId.parse(name) for name in names if "." not in name)
    return [found[0], found[-1]] if found else []


def require_no_event(one: ScanId, other: ScanId) -> None:
    """Refuse two scans of different sites, or between which the hardware changed.

    Raises
    ------
    CalibrationError
    """
    if one.hemis != other.hemis:
        msg = f"{one} and {other} are of different sites: use scans of one camera"
        raise CalibrationError(msg)
    if events := events_between(one.hemis, one.date, other.date):
        event = events[0]
        when = f"{event.first}" if event.exact else f"between {event.first} and {event.last}"
        msg = (
            f"the hardware changed between {one} and {other} ({when}: {event.what}): use darks "
            "and twilights of the same period"
        )
        raise CalibrationError(msg)
