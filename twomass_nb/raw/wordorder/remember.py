"""Word orders learnt before, kept in the cache with their evidence: one file a piece of evidence.

Files appear whole or not at all, and the same evidence has the same name, so that any number of
processes may remember at once. Orders of simulated files are kept apart: they say nothing about
the archive's.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...cache import cache_folder
from ...errors import LayoutError, NotFoundError, WriteError, warn
from ...files import whole_file
from ..layout import Layout

__all__ = ["Evidence", "FileSeen", "Learnt", "forget", "remember", "remembered"]


@dataclass(frozen=True)
class FileSeen:
    """A file that word orders were learnt from: its name, size in bytes, and SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Evidence:
    """What a word order was learnt from.

    Attributes
    ----------
    files : tuple of FileSeen
        The .rds and the .rdo.
    n_frames, bytes_compared : int
        All bytes agreed.
    tried : tuple of str
        What was tried, the last of which fitted.
    simulated : bool
        Whether a file said that it is.
    teacher : str
        What made the .rdo, if it did not come from the archive.
    swapped : bool
        Whether the two files have the bytes of their words the other way round.
    date, software : str
        UTC, and the version of this software.
    """

    files: tuple[FileSeen, ...]
    n_frames: int
    bytes_compared: int
    tried: tuple[str, ...]
    simulated: bool
    teacher: str
    swapped: bool
    date: str
    software: str

    def __str__(self) -> str:
        rds, rdo = (file.name for file in self.files)
        text = f"learnt from {rds} and {self.teacher or rdo}"
        return f"{text} (SIMULATED)" if self.simulated else text


@dataclass(frozen=True)
class Learnt:
    """A word order and the evidence for it."""

    layout: Layout
    evidence: Evidence

    @property
    def name(self) -> str:
        """Eight characters that name it: the same for the same order from the same files."""
        files = [file.sha256 for file in self.evidence.files]
        text = json.dumps([str(self.layout), self.evidence.simulated, files])
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold; `from_json` undoes it."""
        return {"name": self.name, "layout": str(self.layout), "evidence": asdict(self.evidence)}

    @classmethod
    def from_json(cls, found: Any) -> Learnt:
        """Make it from what `as_json` returned.

        Raises
        ------
        LayoutError
            If `found` is something else.
        """
        try:
            evidence = dict(found["evidence"])
            evidence["files"] = tuple(FileSeen(**file) for file in evidence["files"])
            evidence["tried"] = tuple(evidence["tried"])
            learnt = cls(Layout(found["layout"]), Evidence(**evidence))
            _ = str(learnt.evidence), learnt.name
        except (TypeError, KeyError, ValueError) as error:
            msg = f"this is no remembered word order: {error}"
            raise LayoutError(msg) from error
        return learnt


def _folder() -> Path:
    return cache_folder() / "layouts"


def remember(learnt: Learnt) -> None:
    """Keep a word order for later; a cache that cannot be written is a warning, no error."""
    path = _folder() / f"{learnt.name}.json"
    try:
        with whole_file(path) as file:
            file.write(json.dumps(learnt.as_json(), indent=1).encode())
    except WriteError as error:
        warn(f"the word order {learnt.layout} cannot be remembered: {error}")


def remembered() -> list[Learnt]:
    """Return all that is remembered, the latest first; files that are none are passed over."""
    found = []
    for path in _folder().glob("*.json"):
        try:
            learnt = Learnt.from_json(json.loads(path.read_bytes()))
        except (OSError, ValueError):  # bad JSON and LayoutError are ValueErrors
            continue
        if path.stem == learnt.name:
            found.append(learnt)
    return sorted(found, key=lambda one: (one.evidence.date, one.name), reverse=True)


def forget(name: str | None = None) -> list[Learnt]:
    """Drop what is remembered under a name, or all, and return it.

    Raises
    ------
    NotFoundError
        If nothing is remembered under this name.
    """
    gone = [one for one in remembered() if name in (None, one.name)]
    if name is not None and not gone:
        msg = f"no word order is remembered as {name!r}: see twomass-nb layout list"
        raise NotFoundError(msg)
    for one in gone:
        (_folder() / f"{one.name}.json").unlink(missing_ok=True)
    return gone
