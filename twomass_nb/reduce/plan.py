"""Which pieces of work a reduction has, what each waits for, and when one must be done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..atlas import find_coadds
from ..atlas.tiling import tile_images
from ..scan import BANDS, ScanId
from .keeping import load_positions
from .places import place_of
from .tasks import Job, Name, Record, Task, state_of

__all__ = ["Asked", "Plan", "urgency"]

#: In this order pieces of a scan that could all be done are begun: what others wait for first.
_ORDER = ("calibrator", "sky", "positions", "merged", "sources", "image", "frames", "compare")


def urgency(name: Name) -> tuple[int, int, Name]:
    """Return by what pieces are ordered: one scan after the other."""
    return name.scan, _ORDER.index(name.kind), name


@dataclass(frozen=True)
class Asked:
    """A scan to be reduced.

    Attributes
    ----------
    scan_id : ScanId
    raw : dict of path
        Raw files by band.
    """

    scan_id: ScanId
    raw: dict[str, Path]


@dataclass
class _Node:
    """A piece of work that waits for others; a patient one is done even if some of them failed."""

    name: Name
    after: list[Name]
    patient: bool = False
    given: dict[str, Any] = field(default_factory=dict)


class Plan:
    """All pieces of a reduction; it grows when a scan's positions say which images there are.

    Parameters
    ----------
    job : Job
    asked : iterable of Asked
    inputs : dict
        Files that the calibrator of a band is made from.
    frames, compare : bool
        Whether calibrated frames and comparisons with the survey's images are wanted.
    earlier : dict of Record
        What was made before and is whole. Lists of bands not asked for now are merged with the
        others.
    """

    def __init__(
        self, job: Job, asked: Iterable[Asked], inputs: dict[str, tuple[Path, ...]],
        frames: bool, compare: bool, earlier: Mapping[Name, Record],
    ) -> None:  # fmt: skip
        self.job, self.inputs, self.frames, self.compare = job, inputs, frames, compare
        self.earlier = earlier
        self.scans = {one.scan_id.scan: one for one in asked}
        self.nodes: dict[Name, _Node] = {}
        self.settled: dict[Name, Record] = {}
        catalog = job.catalog
        self._catalog = (str(catalog), state_of(catalog)) if catalog else None
        self._begun: set[Name] = set()
        self._grown: set[Name] = set()
        self._archive: dict[tuple[int, str], tuple[Path, ...]] = {}
        for one in self.scans.values():
            self._add_scan(one)

    def _add(self, name: Name, after: Iterable[Name] = (), patient: bool = False, **given: Any):
        self.nodes.setdefault(name, _Node(name, list(after), patient, given))

    def _add_scan(self, one: Asked) -> None:
        scan, bands = one.scan_id.scan, list(one.raw)
        for band in bands:
            self._add(Name("calibrator", 0, band))
            self._add(Name("sky", scan, band), [Name("calibrator", 0, band)])
            self._add(Name("positions", scan, band), [Name("sky", scan, band)])
            if self.frames:
                self._add(Name("frames", scan, band), [Name("sky", scan, band)])
            # its images are added when they are known
            self._add(Name("sources", scan, band), [Name("positions", scan, band)], patient=True)
        merged = [Name("sources", scan, band) for band in BANDS]
        for name in merged:
            if name in self.earlier and name not in self.nodes:
                self._add(name)
                self._begun.add(name)
                self.settled[name] = self.earlier[name]
        self._add(Name("merged", scan), [name for name in merged if name in self.nodes], True)

    def _grow(self, scan: int, band: str) -> None:
        """Add the images of a scan and band, whose positions are known now."""
        positions = Name("positions", scan, band)
        self._grown.add(positions)
        track = load_positions(self.job.folder / place_of(positions)).track
        names = []
        for image in tile_images(track):
            names.append(Name("image", scan, band, image.coadd))
            self._add(names[-1], [positions], image=image)
        self.nodes[Name("sources", scan, band)].after += names
        if self.compare:
            for path in self.archive(scan, band):
                coadd = int(path.name.partition(".")[0][-4:])
                self._add(Name("compare", scan, band, coadd), [positions], archive=(path,))

    def archive(self, scan: int, band: str) -> tuple[Path, ...]:
        """Return the survey's images of a scan that lie beside its raw file."""
        if (scan, band) not in self._archive:
            one = self.scans[scan]
            found = find_coadds(one.raw[band].parent, one.scan_id, band)
            self._archive[scan, band] = tuple(found)
        return self._archive[scan, band]

    def outdated(self, known: Iterable[Name]) -> list[Name]:
        """Return what is among `known` and is not so any more: images beyond a scan's new ends."""
        return [
            name for name in known
            if name.kind == "image" and name not in self.nodes
            and Name("positions", name.scan, name.band) in self._grown
        ]  # fmt: skip

    # What is next ------------------------------------------------------------------------------

    def ready(self) -> Iterator[Task]:
        """Yield the pieces that wait for nothing any more, each once, the most urgent first."""
        found = [
            node for name, node in self.nodes.items()
            if name not in self._begun and all(one in self.settled for one in node.after)
        ]  # fmt: skip
        found.sort(key=lambda node: urgency(node.name))
        for node in found:
            self._begun.add(node.name)
            lost = [one for one in node.after if self.settled[one].error]
            good = [one for one in node.after if one not in lost]
            enough = node.patient and [one for one in good if one.kind != "positions"]
            if lost and (not enough or self._is_fuller(node)):
                why = f"not made, for want of {', '.join(map(str, lost[:3]))}"
                self.settled[node.name] = Record(node.name, "", error=why)
                yield from self.ready()
                return
            yield self._task(node, good)

    def _is_fuller(self, node: _Node) -> bool:
        """Whether the list made before differs from a new one only by having what failed now."""
        keys = []
        for one in node.after:
            record = self.settled[one]
            keys.append(self.earlier.get(one, record).key if record.error else record.key)
        return node.name in self.earlier and self.earlier[node.name].key == self._key(node, keys)

    def settle(self, record: Record) -> None:
        """Note that a piece is done, or has failed."""
        self.settled[record.task] = record
        if record.task.kind == "positions" and not record.error:
            self._grow(record.task.scan, record.task.band)

    @property
    def left(self) -> int:
        """How many pieces, of those known, are not settled."""
        return len(self.nodes) - len(self.settled)

    # Tasks -------------------------------------------------------------------------------------

    def _task(self, node: _Node, after: list[Name]) -> Task:
        name = node.name
        one = self._scan_of(name)
        keys = [self.settled[other].key for other in after]
        parts = tuple(other for other in after if other.kind in ("image", "sources"))
        return Task(
            name, self.job, one.scan_id, one.raw.get(name.band), self._key(node, keys),
            keys[0] if keys else "", node.given.get("image"), self._archive_of(node), parts,
        )  # fmt: skip

    def _archive_of(self, node: _Node) -> tuple[Path, ...]:
        name = node.name
        if name.kind in ("positions", "image"):
            return self.archive(name.scan, name.band)
        found: tuple[Path, ...] = node.given.get("archive", ())
        return found

    def _key(self, node: _Node, keys: list[str]) -> str:
        """Return the hash of all that a piece depends on, by the keys of those before it."""
        name = node.name
        raw = self._scan_of(name).raw.get(name.band)
        files = list(self.inputs.get(name.band, ())) if name.kind == "calibrator" else []
        if name.kind == "sky" and raw is not None:
            files += [raw, *_beside(raw)]
        said = [
            __version__, name, node.given.get("image"), keys,
            self.job.kernel if name.kind in ("image", "compare") else "",
            self._catalog if name.kind in ("positions", "sources") else None,
            [(path.name, state_of(path)) for path in (*files, *self._archive_of(node))],
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]

    def _scan_of(self, name: Name) -> Asked:
        if name.scan:
            return self.scans[name.scan]
        return next(one for one in self.scans.values() if name.band in one.raw)


def _beside(raw: Path) -> list[Path]:
    """Return the parameter file of a raw file, where there is one."""
    stem = raw.name.partition(".")[0]
    return [path for end in (".par", ".par.gz") if (path := raw.with_name(stem + end)).is_file()]
