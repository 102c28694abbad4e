"""Where a night's names, tables, parameter files and sizes disagree, or something is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..scan import BANDS, HEMISPHERES, hemisphere_of
from ..tables.known import DUPLICATED, TRUNCATED_ON_TAPE
from .finding import Finding, finding
from .pixels import spans
from .places import Entry

if TYPE_CHECKING:
    from .night import Night

__all__ = ["disagreements", "frames_disagree", "hinted", "no_file"]


def disagreements(night: Night) -> Iterator[Finding]:
    """Yield what a night's names and tables show, without a look at any pixel."""
    for check in (
        _names, _hemispheres, _pars, _missing, _listed, _copies, _listed_twice, _mixed, _known_cut,
    ):  # fmt: skip
        yield from check(night)


def frames_disagree(
    night: Night, entry: Entry, frames: int, says: str = "holds"
) -> Iterator[Finding]:
    """Yield a finding if the tables speak of another number of frames than a file.

    One frame more or less is a warning only: the archive's own pages say 273 of a scan and 274
    in their table.
    """
    said = {who: n for who, n in night.frames_said(entry).items() if n != frames}
    if not said:
        return
    others = ", ".join(f"{who} says {n}" for who, n in said.items())
    severity = "warning" if all(abs(n - frames) == 1 for n in said.values()) else "error"
    text = f"it {says} {frames} frames; {others}"
    yield finding("frames-differ", entry.path.name, text, severity=severity)


def no_file(entry: Entry) -> Finding:
    """Return the finding of what has a file's name and is a folder, a pipe, a link to nothing."""
    return finding("not-a-file", entry.path.name, "it is no regular file, or a link to nothing")


def hinted(night: Night) -> Iterator[Finding]:
    """Yield what the sizes of raw files, or the ends of their gzip, show without reading them."""
    for entry in night.raw_files:
        name = entry.path.name
        if not entry.regular:
            yield no_file(entry)
        elif entry.size == 0:
            yield finding("empty", name, "it has no bytes")
        elif (frames := entry.frames_hint()) is None:
            if name.lower().endswith(".gz"):
                text = "its last bytes do not tell a whole number of frames: cut off, or padded"
                yield finding("trailer-odd", name, text)
            else:
                text = f"its {entry.size} bytes are no whole number of frames"
                yield finding("not-raw", name, text)
        else:
            yield from frames_disagree(night, entry, frames, "speaks of")


def _known_cut(night: Night) -> Iterator[Finding]:
    known = {(one.hemis, one.file): one for one in TRUNCATED_ON_TAPE}
    for entry in night.raw_files:
        one = known.get((night.hemis or "", f"{entry.stem}.rds.gz"))
        if one and ".rds" in entry.path.name.lower():
            where = f"cut on tape {one.tape_label} and good on disk {one.disk_label}"
            advice = f"if it is cut, ask for the copy on disk {one.disk_label}"
            text = f"this file is known to be {where}"
            yield finding("known-cut", entry.path.name, text, advice=advice)


def _names(night: Night) -> Iterator[Finding]:
    for entry in night.holding.misplaced:
        text = f"its name says {entry.date}, its folder {night.holding.date}"
        yield finding("name-contradicts", entry.path.name, text)


def _hemispheres(night: Night) -> Iterator[Finding]:
    evidence = {hemis: list(who) for hemis, who in night.holding.evidence.items()}
    for stem, par in night.pars.items():
        if hemis := hemisphere_of(par.get("TELNAME")):
            evidence.setdefault(hemis, []).append(f"TELNAME in {stem}.par")
    if len(evidence) > 1:
        said = "; ".join(f"{HEMISPHERES[h]}: {_some(evidence[h])}" for h in sorted(evidence))
        yield finding("both-hemispheres", ".", f"files of both observatories together ({said})")
    elif night.hemis is None:
        yield finding("hemisphere-unknown", ".", "nothing says at which observatory it was")


def _pars(night: Night) -> Iterator[Finding]:
    for stem, par in night.pars.items():
        prefix = str(par.get("FN_PRFX", stem)).strip().lower()
        if prefix != stem:
            text = f"it says that it is of {prefix} (FN_PRFX)"
            yield finding("par-of-another", f"{stem}.par", text)


def _missing(night: Night) -> Iterator[Finding]:
    raw = {(int(entry.scan or 0), entry.band): entry for entry in night.raw_files}
    here = {scan for scan, _ in raw}
    told = {int(scan) for scan in night.scans["scan"]}
    if absent := sorted(told - here):
        text = f"{_scans(absent)} of the tables or .par files without a raw file here"
        yield finding("scans-missing", ".", text)
    for band in BANDS:
        if lacking := sorted(scan for scan in here if (scan, band) not in raw):
            yield finding("band-missing", ".", f"{_scans(lacking)} without a file in band {band}")
    parless = sorted({f"{e.stem}.par" for e in raw.values()} - set(night.par_files))
    if parless:
        yield finding("par-missing", ".", f"no {_some(parless)}")
    if night.lgo is None:
        if not any(one.code == "table-unreadable" for one in night.unreadable):
            yield finding("log-missing", ".", f"there is no {night.name}.lgo")
    elif strange := sorted(here - {int(scan) for scan in night.lgo["scan"]}):
        yield finding("not-in-log", ".", f"{_scans(strange)} with files and no row in the log")


def _listed(night: Night) -> Iterator[Finding]:
    """Compare with the files and sizes that the night's .dir, or an inventory, lists."""
    files = {entry.path.name.lower(): entry for entry in night.holding.files}
    for source, listing in night.listed.items():
        gone = []
        for name, size in listing.items():
            other = name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"
            if name not in files:
                if other not in files:
                    gone.append(name)
            elif size is not None and files[name].size != size:
                text = f"it has {files[name].size} bytes; {source} says {size}"
                yield finding("size-differs", files[name].path.name, text)
        if gone:
            yield finding("files-missing", ".", f"{source} lists what is not here: {_some(gone)}")


def _copies(night: Night) -> Iterator[Finding]:
    kinds = Counter(entry.path.name.lower().removesuffix(".gz") for entry in night.holding.files)
    for name, count in kinds.items():
        if count > 1:
            yield finding("copies", f"{name}.gz", f"both {name} and {name}.gz are here")


def _listed_twice(night: Night) -> Iterator[Finding]:
    known = {scan for date, hemis, scan in DUPLICATED if (date, hemis) == night.key}
    for source, table in (("the log", night.lgo), ("raw_scans", night.raw_scans)):
        counts = Counter(int(scan) for scan in table["scan"]) if table is not None else Counter()
        if twice := sorted(scan for scan, count in counts.items() if count > 1):
            text = f"{source} lists {_scans(twice)} more than once"
            if set(twice) <= known:
                text += "; the archive says so of this night"
            yield finding("listed-twice", ".", text)


def _mixed(night: Night) -> Iterator[Finding]:
    says = {f"{stem}.par": par.simulated for stem, par in night.pars.items()}
    if night.lgo is not None:
        says["the log"] = bool(night.lgo.meta.get("SIMULATE", False))
    if len(set(says.values())) > 1:
        real = _some(name for name, simulated in says.items() if not simulated)
        yield finding("simulated-mixed", ".", f"simulated files beside real ones ({real})")


def _scans(numbers: Iterable[int]) -> str:
    numbers = list(numbers)
    return f"scan{'s' if len(numbers) > 1 else ''} {spans(numbers)}"


def _some(names: Iterable[str], most: int = 4) -> str:
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
