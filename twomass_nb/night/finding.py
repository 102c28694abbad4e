"""What can be wrong with files of the archive: a stable code each, how bad it is, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["CODES", "SEVERITIES", "Finding", "finding", "findings_table", "worst"]

#: The worst first. An error is bad data; a warning is worth a look; a note is good to know.
SEVERITIES = ("error", "warning", "note")

_AGAIN = "fetch the file again"
#: Every finding's code: its usual severity and advice. Codes are never renamed; programs that
#: read reports rely on them.
CODES = {
    # the file itself
    "empty": ("error", _AGAIN),
    "unreadable": ("error", "look at the permissions and the disk, then check again"),
    "not-a-file": ("error", "put a regular file there"),
    "not-gzip": ("error", f"rename it if it is not compressed, or {_AGAIN}"),
    "gzip-cut": ("error", f"{_AGAIN}; the whole frames before the cut can be read"),
    "gzip-crc": ("error", _AGAIN),
    "gzip-damaged": ("error", _AGAIN),
    "gzip-rubbish": (
        "warning",
        "its frames are whole; remove what follows their end",
    ),
    "not-raw": ("error", f"move it elsewhere, or {_AGAIN}"),
    "failed": ("error", "report it as a bug of twomass_nb, with the file"),
    "trailer-odd": ("warning", "check it without --quick"),
    # what is in it
    "layout-unknown": ("warning", "give layout=, or put an .rdo of the night beside it"),
    "frames-constant": ("warning", "leave these frames out"),
    "frames-repeated": ("warning", "leave these frames out"),
    "frames-saturated": ("warning", "look at these frames before using them"),
    "reads-equal": ("warning", "look at these frames: both reads saturated, or one was lost"),
    # what names and tables say
    "frames-differ": ("error", "trust the file's number of frames, and compare it with a copy"),
    "size-differs": ("error", _AGAIN),
    "files-missing": ("error", "fetch them"),
    "scans-missing": ("warning", "fetch them if you need them"),
    "band-missing": ("warning", "fetch it if you need it"),
    "par-missing": ("warning", "fetch it: without it the frames have no times or positions"),
    "par-unreadable": ("error", _AGAIN),
    "par-of-another": ("error", "find out which file has the wrong name"),
    "table-unreadable": ("error", _AGAIN),
    "table-of-another": ("error", "find out which night it belongs to"),
    "not-in-log": ("warning", "compare with the log of another copy"),
    "log-missing": ("note", "fetch it: it says what kind each scan is"),
    "listed-twice": ("warning", "the first row counts; compare the rows"),
    "name-contradicts": ("error", "move it to the folder of its night"),
    "both-hemispheres": ("error", "part the files: the same name exists at both observatories"),
    "hemisphere-unknown": ("warning", "name the folder for its night, as 000529s"),
    "night-twice": ("error", "find out which copy is the good one, and remove the other"),
    "simulated-mixed": ("error", "move what is simulated to a folder of its own"),
    "known-cut": ("note", "if it is cut, ask for the copy on disk"),
    "copies": ("note", "one of them is enough"),
    "copies-differ": ("error", "find out which one is damaged, and fetch it again"),
    "unexpected-file": ("note", "move it elsewhere if it is not yours"),
    "folder-unreadable": ("error", "look at the permissions and the disk, then check again"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or good to know.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
    code : str
        Stable, see `CODES`.
    file : str
        Path relative to what was looked at; ``"."`` is the folder itself.
    text, advice : str
        What it is, and what to do.
    """

    severity: str
    code: str
    file: str
    text: str
    advice: str

    def within(self, folder: str) -> Finding:
        """Return the same with its file's path told from further up."""
        parts = [part for part in (folder, self.file) if part != "."]
        return replace(self, file="/".join(parts) or ".")

    def __str__(self) -> str:
        return f"{self.severity}: {self.file}: {self.text} [{self.code}]; {self.advice}"


def finding(
    code: str, file: str, text: str, *, severity: str | None = None, advice: str | None = None
) -> Finding:
    """Return a finding of a known code, with its usual severity and advice if none are given."""
    usual = CODES[code]
    return Finding(severity or usual[0], code, file, text, advice or usual[1])


def worst(findings: Iterable[Finding]) -> str:
    """Return the worst severity, or ``"ok"`` if there is neither an error nor a warning."""
    found = {one.severity for one in findings}
    return next((severity for severity in SEVERITIES[:2] if severity in found), "ok")


def findings_table(findings: Iterable[Finding]) -> Table:
    """Return findings as a table, the worst first, one row each."""
    from astropy.table import Table

    ordered = sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.file, f.code))
    names = [field.name for field in fields(Finding)]
    return Table(rows=[astuple(one) for one in ordered] or None, names=names, dtype=[str] * 5)
