"""A reduction from its beginning to its end: what is done next, by whom, and what is kept of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from os import PathLike
from pathlib import Path
from typing import Any

from .. import __version__
from ..calibrate import nearest
from ..coadd.resample import require_kernel
from ..errors import TwomassError
from ..files import as_path
from ..night import open_night
from .asked import bands_of, nights_around, scan_asked, scans_asked
from .journal import Journal, kept_in
from .lists import read_catalog
from .log import Log
from .places import LOG
from .plan import Asked, Plan, urgency
from .quality import write_quality
from .reduction import Reduction
from .steps import open_raw
from .tasks import Job, Record, Task
from .workers import Workers, workers_of

__all__ = ["reduce_night", "reduce_scan"]

Folders = str | PathLike[str] | Iterable[str | PathLike[str]]


def reduce_scan(
    scan: Any,
    out: str | PathLike[str],
    *,
    bands: str | Iterable[str] | None = None,
    nights: Folders | None = None,
    frames: bool = True,
    compare: bool = False,
    kernel: str = "spline",
    catalog: str | PathLike[str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    overwrite: bool = False,
) -> Reduction:
    """Reduce a scan: calibrated frames, coadds, lists of sources, quality figures and a log.

    What was made before, by a reduction that was stopped or has ended, is not made again, unless
    what it was made from has changed. What fails stops nothing that can do without it, and leaves
    what was made before where it is, told as stale.

    Parameters
    ----------
    scan : path, RawScan, ScanId or text as "000529s063"
        A raw file means its band, an identity the bands there are.
    out : path
        Folder for the night's folder, as ``out/000529s``.
    bands : str, optional
        As "jhk"; all of these must be there.
    nights : path or several, optional
        Where darks and twilights are looked for, see `twomass_nb.calibrate.nearest`. If not
        given, in the scan's own night and in the others of its disk.
    frames : bool, optional
        Whether the calibrated frames are written: 160 MB a band of a whole scan.
    compare : bool, optional
        Whether a report is written on each Atlas Image of the survey beside the raw files: how
        a coadd of ours on its grid agrees with it.
    kernel : str, optional
        See `twomass_nb.coadd.stack`.
    catalog : path, optional
        Table of stars, as rows of the point source catalogue (``ra``, ``dec``, ``j_m``, ``h_m``,
        ``k_m``): positions and magnitudes are tied to it instead of to the survey's images.
    workers : int, optional
        Processes on this machine that do the work, with Dask; 1: this one alone does it.
        A script that has more needs ``if __name__ == "__main__":`` around it.
    scheduler : str, optional
        Address of a Dask scheduler whose workers do the work; all must see the same paths.
    overwrite : bool, optional
        Make all anew.

    Returns
    -------
    Reduction

    Raises
    ------
    NotFoundError
        If the scan, or a band of it, is not there.
    ExistsError
        If the folder holds something else.
    TwomassError
        If another process reduces into it, or Dask cannot be had.
    """
    asked = scan_asked(scan, bands_of(bands))
    run = _Run(
        asked.scan_id.night, [asked], out, nights, frames, compare, kernel, catalog, overwrite
    )
    return run.by(workers, scheduler)


def reduce_night(
    folder: str | PathLike[str],
    out: str | PathLike[str],
    *,
    night: str | None = None,
    scans: Sequence[int] | None = None,
    bands: str | Iterable[str] | None = None,
    nights: Folders | None = None,
    frames: bool = True,
    compare: bool = False,
    kernel: str = "spline",
    catalog: str | PathLike[str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    overwrite: bool = False,
) -> Reduction:
    """Reduce the scans of a night: those of the survey (sci) and of calibration fields (cal).

    Parameters
    ----------
    folder : path
        Of a night, or the flat folder of a tape.
    out : path
    night : str, optional
        Which night of a tape, see `twomass_nb.open_night`.
    scans : sequence of int, optional
        Only these, whatever their type.
    bands, nights, frames, compare, kernel, catalog, workers, scheduler, overwrite
        See `reduce_scan`; of bands those that are there are reduced.

    Returns
    -------
    Reduction

    Raises
    ------
    NotFoundError
        If there is no such night, or nothing in it to reduce.
    """
    opened = open_night(as_path(folder).absolute(), night)
    asked = scans_asked(opened, bands_of(bands), scans)
    run = _Run(opened.name, asked, out, nights, frames, compare, kernel, catalog, overwrite)
    return run.by(workers, scheduler)


class _Run:
    """One reduction on its way."""

    def __init__(
        self, night: str, asked: list[Asked], out: str | PathLike[str], nights: Folders | None,
        frames: bool, compare: bool, kernel: str, catalog: str | PathLike[str] | None,
        overwrite: bool,
    ) -> None:  # fmt: skip
        require_kernel(kernel, 1.0)
        self.asked, self.frames, self.compare = asked, frames, compare
        self.overwrite = overwrite
        self.raw = [(one, band, path) for one in asked for band, path in one.raw.items()]
        folder = as_path(out).absolute() / night
        places = [folder.resolve(), *folder.resolve().parents]
        for _, _, path in self.raw:
            if path.parent.resolve() in places:
                msg = f"{path.parent} holds raw files and is only read: choose another --out"
                raise TwomassError(msg)
        self.simulated = any(open_raw(path, one.scan_id).simulated for one, _, path in self.raw)
        around = nights_around(nights, self.raw[0][2].parent)
        stars = None if catalog is None else as_path(catalog).absolute()
        if stars is not None:
            read_catalog(stars)  # what is wrong with it is said before anything is done
        self.job = Job(folder, around, kernel, stars)
        self.made: list[Record] = []
        self.kept: list[Record] = []

    def by(self, workers: int, scheduler: str | None) -> Reduction:
        """Let the work be done, and return what came of it."""
        if workers < 1:
            msg = f"{workers} workers do nothing: give 1 or more"
            raise TwomassError(msg)
        folder = self.job.folder
        with (
            kept_in(folder) as journal,
            closing(Log(folder / LOG, self.simulated)) as log,
        ):
            names = ", ".join(f"{one.scan_id} {''.join(one.raw)}" for one in self.asked)
            log.say(f"twomass_nb {__version__} reduces {names}; kernel {self.job.kernel}")
            known = journal.records.items()
            earlier = {name: record for name, record in known if record.is_whole(folder)}
            inputs = self._inputs(log)
            plan = Plan(self.job, self.asked, inputs, self.frames, self.compare, earlier)
            try:
                with workers_of(workers, scheduler, folder) as doing:
                    self._work(plan, doing, journal, log)
            except BaseException as error:
                why = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
                log.say(f"stopped: {why}; run again to carry on")
                raise
            result = self._result(plan, journal, log)
            log.say(result.summary.splitlines()[-1])
            return result

    def _inputs(self, log: Log) -> dict[str, tuple[Path, ...]]:
        """Return the files of the darks and twilights that will be chosen for each band."""
        inputs: dict[str, tuple[Path, ...]] = {}
        for one, band, path in self.raw:
            if band in inputs:
                continue
            try:
                choice = nearest(open_raw(path, one.scan_id), self.job.nights)
            except TwomassError as error:
                log.say(f"{band} calibrator: {error}")
                inputs[band] = ()
            else:
                inputs[band] = choice.files
        return inputs

    def _work(self, plan: Plan, workers: Workers, journal: Journal, log: Log) -> None:
        from tqdm import tqdm

        waiting: list[Task] = []
        under_way = 0
        with tqdm(
            desc=f"reducing {self.job.folder.name}", unit="piece", delay=1, leave=False,
            disable=not sys.stderr.isatty(),
        ) as bar:  # fmt: skip
            while plan.left:
                for task in plan.ready():
                    known = None if self.overwrite else journal.known(task.name, task.key)
                    if known is not None:
                        if task.name in journal.failures:
                            journal.add(known)
                        self.kept.append(known)
                        plan.settle(known)
                    else:
                        waiting.append(task)
                waiting.sort(key=lambda task: urgency(task.name), reverse=True)
                while waiting and under_way < workers.at_once:
                    workers.begin(waiting.pop())
                    under_way += 1
                bar.total, bar.n = len(plan.nodes), len(plan.settled)
                bar.refresh()
                if under_way:
                    record = workers.finished()
                    under_way -= 1
                    self._take(record, plan, journal, log)

    def _take(self, record: Record, plan: Plan, journal: Journal, log: Log) -> None:
        journal.add(record)
        log.tell(record)
        if not record.error:
            self.made.append(record)
        plan.settle(record)

    def _result(self, plan: Plan, journal: Journal, log: Log) -> Reduction:
        """Write the quality figures, and sweep away what is no part of the scans any more."""
        for record in plan.settled.values():
            if record.error and not record.key:  # it was never begun
                journal.add(record)
                log.tell(record)
        for name in plan.outdated({**journal.records, **journal.failures}):
            journal.forget(name)
        account = journal.account()
        tables = [
            write_quality(self.job.folder, one.scan_id, account.values(), self.simulated)
            for one in self.asked
        ]
        from astropy.table import vstack

        failed = [record for record in plan.settled.values() if record.error]
        places = {(one.scan_id.scan, band) for one, band, _ in self.raw}
        places |= {(scan, "") for scan in plan.scans} | {(0, band) for _, band, _ in self.raw}
        stale = [
            record for name, record in account.items()
            if record.stale and (name.scan, name.band) in places
        ]  # fmt: skip
        for record in stale:
            log.say(f"{record.task}: stale, of an earlier reduction: {record.error}")
        warnings = [line for table in tables for line in table.meta["warnings"]]
        for line in warnings:
            log.say(f"warning: {line}")
        quality = vstack(tables, metadata_conflicts="silent")
        quality.meta["warnings"] = warnings
        return Reduction(
            self.job.folder, self.made, self.kept, failed, stale, quality, self.simulated
        )
