"""Whether the bytes are what they should be: of a file, a night, a tape or a whole disk."""

from __future__ import annotations

import datetime as dt
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import TwomassError, TwomassWarning
from ..files import as_path
from .agreement import frames_disagree, hinted
from .finding import Finding, finding
from .journal import Journal
from .look import Record, look_into
from .night import Night
from .opening import as_raw_scans
from .places import Entry
from .plan import Plan, plan_of
from .report import CheckReport

if TYPE_CHECKING:
    from astropy.table import Table
    from tqdm import tqdm

__all__ = ["check", "outside"]

_AT_ONCE = 2  # files in memory at the same time, each twice its decoded size at most
_WAITING = 2  # files handed out ahead, so that no processor waits
# Scans without stars: their own content cannot tell their word order (docs/word-order.md).
_STARLESS = ("dar", "flt", "lda")

_File = tuple[Night, str, Entry]  # a raw file: its night, its folder as told in the report


def check(
    path: str | PathLike[str],
    *,
    quick: bool = False,
    journal: str | PathLike[str] | None = None,
    raw_scans: Table | str | PathLike[str] | None = None,
) -> CheckReport:
    """Check files of the archive: their gzip, size, frames, word order, pixels, names, tables.

    Every raw file is read whole, two at a time. Nothing is written into the archive, and no
    frames into the cache. Whatever is wrong with one file becomes a finding and never stops the
    others.

    Parameters
    ----------
    path : path
        A file, a night's folder, the flat folder of a tape, or a disk with its nights.
    quick : bool, optional
        Look only at names, sizes, ends of gzip files, parameter files and tables.
    journal : path, optional
        A file outside of `path` that takes a line for each file looked into. A check that was
        stopped, however, carries on from it: files with the same size and time of change are
        not read again.
    raw_scans : Table or path, optional
        The raw scan table, to compare with.

    Returns
    -------
    CheckReport
        An interrupted check (Ctrl-C) returns what it has, with ``finished`` false.

    Raises
    ------
    NotFoundError
        If there is nothing to check.
    TwomassError
        If the journal lies within what is checked, is something else, or cannot be written.
    """
    top = as_path(path)
    plan = plan_of(top)
    report = CheckReport(str(top), quick, began=_now())
    kept = None if journal is None else outside(Path(journal), top)
    table = plan.raw_scans if raw_scans is None else as_raw_scans(raw_scans)
    with Journal(kept) as known, warnings.catch_warnings():
        warnings.simplefilter("ignore", TwomassWarning)  # what they say is found
        run = _Run(plan, report, table, known)
        try:
            run.quickly() if quick else run.thoroughly()
            report.finished = True
        except KeyboardInterrupt:
            pass
        run.complete()
    report.ended = _now()
    return report


def outside(path: Path, top: Path) -> Path:
    """Return `path` if it is not within `top`: nothing is written into the archive.

    Raises
    ------
    TwomassError
        If it is.
    """
    folder = (top if top.is_dir() else top.parent).resolve()
    if path.resolve().is_relative_to(folder):
        msg = f"{path} lies in {folder}, which is only read: choose a place outside of it"
        raise TwomassError(msg)
    return path


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


class _Run:
    """One check on its way: fills a report."""

    def __init__(self, plan: Plan, report: CheckReport, raw_scans: Table | None, known: Journal):
        self.plan, self.report, self.raw_scans, self.journal = plan, report, raw_scans, known
        report.all_findings += plan.findings

    def nights(self) -> Iterator[tuple[Night, str]]:
        """Yield the nights, with what their tables show put into the report."""
        for holding in self.plan.held:
            night = Night(holding, self.raw_scans, self.plan.listed.get(holding.night))
            prefix = self.plan.prefix(holding)
            if holding.night not in self.report.nights:
                self.report.nights.append(holding.night)
            self._note(prefix, *night.structure)
            simulated = {stem for stem, par in night.pars.items() if par.simulated}
            for entry in holding.files + holding.misplaced:
                if entry.kind != "raw" and self.plan.only in (None, entry):
                    record = self._record(prefix, entry)
                    record.simulated = entry.kind == "par" and entry.stem in simulated
                    self.report.records.append(record)
            yield night, prefix

    def quickly(self) -> None:
        """Look at names, sizes and tables only."""
        for night, prefix in self.nights():
            self._note(prefix, *hinted(night))
            for entry in self.plan.raw(night.holding):
                record = self._record(prefix, entry)
                record.frames = entry.frames_hint()
                record.simulated = night.simulated
                self.report.records.append(record)

    def thoroughly(self) -> None:
        """Look into every raw file."""
        from tqdm import tqdm

        total = sum(e.size for holding in self.plan.held for e in self.plan.raw(holding))
        waiting: dict[Future[Record], _File] = {}
        with (
            ThreadPoolExecutor(_AT_ONCE) as pool,
            tqdm(
                total=total, unit="B", unit_scale=True, desc="checking", delay=1, leave=False,
                disable=not sys.stderr.isatty(),
            ) as bar,
        ):  # fmt: skip
            try:
                for file in self._raw_files():
                    night, prefix, entry = file
                    record = self._record(prefix, entry)
                    if old := self.journal.known(record.file, entry.size, entry.mtime_ns):
                        self._take(night, prefix, entry, old)
                        bar.update(entry.size)
                        continue
                    waiting[pool.submit(look_into, entry.path, record)] = file
                    if len(waiting) >= _AT_ONCE + _WAITING:
                        self._finish(waiting, bar)
                while waiting:
                    self._finish(waiting, bar)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)  # those begun end within seconds
                for job in [job for job in waiting if job.cancelled() or job.exception()]:
                    del waiting[job]
                while waiting:
                    self._finish(waiting, bar)
                raise

    def _finish(self, waiting: dict[Future[Record], _File], bar: tqdm[Any]) -> None:
        """Wait for a look to end, and keep and take what it showed."""
        for job in wait(waiting, return_when=FIRST_COMPLETED).done:
            night, prefix, entry = waiting.pop(job)
            record = job.result()
            self.journal.add(record)
            self._take(night, prefix, entry, record)
            bar.update(entry.size)

    def complete(self) -> None:
        """Add what was not come to, and compare copies of the same frames."""
        records = self.report.records
        seen = {record.file for record in records}
        for holding in self.plan.held:
            for entry in self.plan.raw(holding):
                record = self._record(self.plan.prefix(holding), entry)
                if record.file not in seen:
                    records.append(replace(record, checked=False))
        records.sort(key=lambda record: record.file)
        copies: dict[str, Record] = {}
        for record in records:
            if record.pixels:
                first = copies.setdefault(record.file.lower().rpartition(".rd")[0], record)
                if first.pixels != record.pixels:
                    text = f"its frames are not those of {first.file.rpartition('/')[2]}"
                    self.report.all_findings.append(finding("copies-differ", record.file, text))

    def _raw_files(self) -> Iterator[_File]:
        for night, prefix in self.nights():
            for entry in self.plan.raw(night.holding):
                yield night, prefix, entry

    def _take(self, night: Night, prefix: str, entry: Entry, record: Record) -> None:
        """Put the record of a raw file into the report, and compare it with the tables."""
        self.report.records.append(record)
        self.report.all_findings += [self._eased(night, entry, one) for one in record.findings]
        if any(one.severity == "error" for one in record.findings):
            return
        if record.frames is not None and entry in night.raw_files:
            self._note(prefix, *frames_disagree(night, entry, record.frames))
        par = night.pars.get(entry.stem)
        if par is not None and record.simulated != par.simulated and entry.path.suffix == ".gz":
            text = "one of this file and its .par is simulated, the other is not"
            self._note(prefix, finding("simulated-mixed", entry.path.name, text))

    def _eased(self, night: Night, entry: Entry, one: Finding) -> Finding:
        """Make a note of an unknown word order where a scan has no stars to tell it by."""
        types = night.scans["s_type"][night.scans["scan"] == (entry.scan or 0)]
        starless = one.code == "layout-unknown" and len(types) and types[0] in _STARLESS
        return replace(one, severity="note") if starless else one

    def _note(self, prefix: str, *findings: Finding) -> None:
        self.report.all_findings += [f.within(prefix) for f in findings if self.plan.concerns(f)]

    def _record(self, prefix: str, entry: Entry) -> Record:
        file = entry.path.name if prefix == "." else f"{prefix}/{entry.path.name}"
        return Record(file, entry.kind, entry.size, entry.mtime_ns)
