"""What a path means to a check: a file, a night, a tape or a disk, with the inventories on it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import NotFoundError, TwomassError
from ..raw.inflate import is_gzip_name
from .finding import Finding, finding
from .night import listing_of
from .opening import settle_hemisphere
from .places import Entry, Folder, Holding, entry_of, holdings_of, list_folder, walk

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Plan", "plan_of"]

# "The disk label is encoded in a file name disk_XXX" (seed 000).
_DISK = re.compile(r"disk_\w+", re.IGNORECASE)
_MOST = 1 << 29  # bytes of an inventory: that of the whole archive has a fifth of it
_NONE_HERE = (
    "{path} holds no raw file of the archive: name a raw file (j1186063.rds.gz), a night's folder "
    "(000529s), a tape's or a disk's"
)


@dataclass
class Plan:
    """What is to be checked.

    Attributes
    ----------
    top : Path
        The folder that files' paths are relative to.
    held : list of Holding
    findings : list of Finding
        What the folders themselves show.
    listed : dict
        Night to the file names and sizes that inventories list, by the inventory's name.
    raw_scans : Table or None
        What a summary of logs, or a raw scan table, in a folder says of scans.
    only : Entry or None
        The one file asked for.
    """

    top: Path
    held: list[Holding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    listed: dict[str, dict[str, dict[str, int | None]]] = field(default_factory=dict)
    raw_scans: Table | None = None
    only: Entry | None = None

    def prefix(self, holding: Holding) -> str:
        """Return a holding's folder relative to the top."""
        return holding.folder.relative_to(self.top).as_posix()

    def raw(self, holding: Holding) -> list[Entry]:
        """Return the raw files to look into, those with a misleading name too."""
        if self.only is not None:
            return [self.only] if self.only.kind == "raw" else []
        return [e for e in (*holding.files, *holding.misplaced) if e.kind == "raw"]

    def concerns(self, one: Finding) -> bool:
        """Whether a finding is of what was asked for."""
        if self.only is None:
            return True
        stem = self.only.stem
        return one.file in (self.only.path.name, f"{stem}.par", f"{stem}.par.gz")


def plan_of(path: Path) -> Plan:
    """Find what there is to check.

    Raises
    ------
    NotFoundError
        If there is nothing there, or no raw file in it.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.exists() and not path.is_symlink():
        msg = f"there is no file or folder {path}"
        raise NotFoundError(msg)
    plan = Plan(path.parent)
    plan.only = entry_of(path)
    if plan.only is None:
        plan.only = _named_otherwise(path)
        plan.held = [Holding(path.parent, plan.only.date, None, [plan.only])]
        return plan
    entries = list_folder(path.parent).entries
    near = [e for e in entries if e.scan is None or e.stem == plan.only.stem]
    held = holdings_of(Folder(path.parent, [e for e in near if e.date == plan.only.date]))
    plan.held = held or holdings_of(Folder(path.parent, [plan.only]))
    for holding in plan.held:
        settle_hemisphere(holding)
    return plan


def _named_otherwise(path: Path) -> Entry:
    """Return what is told of a raw file whose name is somebody's own."""
    from ..scan import DAY_ONE

    name = path.name.lower().removesuffix(".gz") if is_gzip_name(path) else path.name.lower()
    if not name.endswith((".rds", ".rdo")):
        msg = f"{path} is no file of the raw archive: " + _NONE_HERE.partition(": ")[2]
        raise NotFoundError(msg)
    status = path.stat()
    return Entry(
        path, "raw", DAY_ONE, None, None, None, status.st_size, status.st_mtime_ns, path.is_file()
    )


def _of_folder(top: Path) -> Plan:
    plan = Plan(top)
    others: list[Path] = []
    for folder, findings in walk(top):
        plan.findings += findings
        if folder is None:
            continue
        held = holdings_of(folder)
        plan.held += held
        if held or folder.path == top:
            others += folder.others
    if not any(plan.raw(holding) for holding in plan.held):
        msg = _NONE_HERE.format(path=top)
        if plan.findings:
            msg += f" ({plan.findings[0].text})"
        raise NotFoundError(msg)
    for holding in plan.held:
        settle_hemisphere(holding)
    for path in others:
        _take_other(plan, path)
    plan.findings += _held_twice(plan)
    return plan


def _take_other(plan: Plan, path: Path) -> None:
    """Take an inventory for what it lists, a summary of logs for its scans; note any other file."""
    from ..tables import read_inventory
    from ..tables.lgo_summary import read_summary

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is listed twice is found night by night
        if _may_be_table(path):
            with suppress(TwomassError):
                _take_listing(plan, path.name, read_inventory(path))
                return
            with suppress(TwomassError):
                plan.raw_scans = read_summary(path)
                return
    if not _DISK.fullmatch(path.name):
        name = path.relative_to(plan.top).as_posix()
        text = "no file of the archive has this name"
        plan.findings.append(finding("unexpected-file", name, text))


def _may_be_table(path: Path) -> bool:
    """Whether a file is text, or packed, and of a size that an inventory may have."""
    if not path.is_file() or not 0 < path.stat().st_size < _MOST:
        return False
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return False
    return start[:2] == b"\x1f\x8b" or b"\0" not in start


def _take_listing(plan: Plan, source: str, table: Table) -> None:
    """Part an inventory by night."""
    dates = np.ma.filled(table["date"], "")
    for holding in plan.held:
        # A disk is of one observatory: its inventory need not say which.
        hemis = np.ma.filled(table["hemis"], holding.hemis or "")
        mine = (dates == holding.date.isoformat()) & (hemis == (holding.hemis or ""))
        if mine.any():
            plan.listed.setdefault(holding.night, {})[source] = listing_of(table[mine])


def _held_twice(plan: Plan) -> Iterable[Finding]:
    """Yield nights that more than one folder holds."""
    where: dict[str, str] = {}
    for holding in plan.held:
        first = where.setdefault(holding.night, plan.prefix(holding))
        if first != plan.prefix(holding) and "?" not in holding.night:
            text = f"files of the night {holding.night} are also in {first}"
            yield finding("night-twice", plan.prefix(holding), text)
