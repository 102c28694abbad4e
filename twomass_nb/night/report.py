"""What a check found, for a person and for a program."""

from __future__ import annotations

import html
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import TwomassError
from ..files import refuse_existing, whole_file
from .finding import SEVERITIES, Finding, findings_table, worst
from .look import Record

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["SCHEMA", "CheckReport"]

#: Of the JSON; the number rises when something in it changes its meaning.
SCHEMA = "twomass_nb.check/1"
_SHOWN = 20  # findings in a summary


@dataclass
class CheckReport:
    """What `check` found.

    Attributes
    ----------
    path : str
        What was checked; the paths of files are relative to it, or to its folder if it is a file.
    quick : bool
        Whether only names, sizes and tables were looked at.
    finished : bool
        False if it was interrupted: some files were not looked at.
    nights : list of str
    began, ended : str
        UTC, ISO 8601.
    records : list of Record
    all_findings : list of Finding
        Those of files, tables and folders alike.
    """

    path: str
    quick: bool = False
    finished: bool = False
    nights: list[str] = field(default_factory=list)
    began: str = ""
    ended: str = ""
    records: list[Record] = field(default_factory=list)
    all_findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all was looked at and no error was found; warnings do not count."""
        return self.finished and worst(self.all_findings) != "error"

    @property
    def simulated(self) -> bool:
        """Whether any of it never was."""
        return any(record.simulated for record in self.records)

    @property
    def findings(self) -> Table:
        """One row a finding, the worst first: severity, code, file, text, advice."""
        return findings_table(self.all_findings)

    @property
    def files(self) -> Table:
        """One row a file: file, kind, size (bytes), sha256, frames, layout, status, seconds...

        ``status`` is its worst finding's severity, or ok, or not checked.
        """
        from astropy.table import MaskedColumn, Table

        table = Table()
        for name in ("file", "kind", "size", "sha256"):
            table[name] = [getattr(record, name) for record in self.records]
        frames = [record.frames for record in self.records]
        table["frames"] = MaskedColumn(
            [n or 0 for n in frames], mask=[n is None for n in frames], dtype=int
        )
        for name in ("layout", "layout_source", "simulated", "seconds"):
            table[name] = [getattr(record, name) for record in self.records]
        table["status"] = self._statuses()
        table.meta["path"] = self.path
        if self.simulated:
            table.meta["SIMULATE"] = True
        return table

    def _statuses(self) -> list[str]:
        by_file: dict[str, list[Finding]] = {}
        for one in self.all_findings:
            by_file.setdefault(one.file, []).append(one)
        return [
            worst(by_file.get(r.file, [])) if r.checked else "not checked" for r in self.records
        ]

    @property
    def summary(self) -> str:
        """A few lines: what was checked, and the findings, the worst first."""
        lines = [self._title()]
        ordered = sorted(self.all_findings, key=lambda f: (SEVERITIES.index(f.severity), f.file))
        lines += [str(one) for one in ordered[:_SHOWN]]
        if len(ordered) > _SHOWN:
            lines.append(f"and {len(ordered) - _SHOWN} more findings: see the whole report")
        return "\n".join(lines)

    def _title(self) -> str:
        raw = [record for record in self.records if record.kind == "raw"]
        size = sum(record.size for record in raw)
        counts = Counter(one.severity for one in self.all_findings)
        found = ", ".join(f"{counts[s]} {s}{'s' * (counts[s] != 1)}" for s in SEVERITIES)
        how = "looked at, not read" if self.quick else "read"
        nights = f"{len(self.nights)} night{'s' * (len(self.nights) != 1)}"
        parts = [f"{self.path}: {nights}, {len(raw)} raw files, {size / 1e6:.1f} MB, {how}", found]
        if not self.finished:
            left = sum(not record.checked for record in self.records)
            parts.append(f"UNFINISHED: {left} files are not checked")
        if self.simulated:
            parts.append("SIMULATED")
        return "; ".join(parts)

    # As JSON ----------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Return plain values; ``schema`` says how to read them."""
        from .. import __version__

        statuses = self._statuses()
        counts = Counter(one.severity for one in self.all_findings)
        return {
            "schema": SCHEMA,
            "software": f"twomass_nb {__version__}",
            "path": self.path,
            "ok": self.ok,
            "finished": self.finished,
            "quick": self.quick,
            "simulated": self.simulated,
            "began": self.began,
            "ended": self.ended,
            "nights": self.nights,
            "counts": {severity: counts[severity] for severity in SEVERITIES},
            "findings": [asdict(one) for one in self.all_findings],
            "files": [
                {**record.as_dict(), "status": status}
                for record, status in zip(self.records, statuses, strict=True)
            ],
        }

    def to_json(self, path: str | PathLike[str], overwrite: bool = False) -> Path:
        """Write the report as JSON, whole or not at all.

        Raises
        ------
        ExistsError
            If the file is there already and may not be overwritten.
        WriteError
            If it cannot be written.
        """
        target = Path(path)
        refuse_existing(target, overwrite)
        with whole_file(target) as file:
            file.write(json.dumps(self.as_dict(), indent=1).encode() + b"\n")
        return target

    @classmethod
    def from_json(cls, path: str | PathLike[str]) -> CheckReport:
        """Read a report that `to_json` wrote.

        Raises
        ------
        TwomassError
            If it is no such report.
        """
        try:
            said = json.loads(Path(path).read_bytes())
            if said["schema"] != SCHEMA:
                msg = f"{path} has the schema {said['schema']}: this version reads {SCHEMA}"
                raise TwomassError(msg)
            files = [{k: v for k, v in one.items() if k != "status"} for one in said["files"]]
            return cls(
                **{k: said[k] for k in ("path", "quick", "finished", "nights", "began", "ended")},
                records=[Record.from_dict(one) for one in files],
                all_findings=[Finding(**one) for one in said["findings"]],
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            msg = f"{path} is not the report of a check: {error}"
            raise TwomassError(msg) from None

    def __repr__(self) -> str:
        return f"<CheckReport {self._title()}>"

    def _repr_html_(self) -> str:
        table = self.findings._repr_html_() if self.all_findings else ""
        return f"<b>{html.escape(self._title())}</b>{table}"
