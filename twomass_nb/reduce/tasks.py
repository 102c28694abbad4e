"""What a piece of the work is, and what is kept of it when it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..atlas.tiling import TileImage
from ..scan import ScanId

__all__ = ["Job", "Name", "Record", "Task"]


class Name(NamedTuple):
    """Which piece of work: its kind, and what it is of.

    Attributes
    ----------
    kind : str
        One of `twomass_nb.reduce.steps.STEPS`.
    scan : int
        0: of the whole night.
    band : str
        Empty: of all bands.
    coadd : int
        Number of an image; 0: of all.
    """

    kind: str
    scan: int = 0
    band: str = ""
    coadd: int = 0

    def __str__(self) -> str:
        scan = f"s{self.scan:03d}" if self.scan else ""
        parts = [scan, self.band, self.kind, str(self.coadd or "")]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Job:
    """What all pieces of a reduction have in common; small, for it travels with each.

    Attributes
    ----------
    folder : Path
        Of the night, where products go.
    nights : tuple of Path
        Where darks and twilights are looked for.
    kernel : str
        See `twomass_nb.coadd.stack`.
    catalog : Path or None
        Table of stars that positions and magnitudes are tied to.
    """

    folder: Path
    nights: tuple[Path, ...]
    kernel: str
    catalog: Path | None = None


@dataclass(frozen=True)
class Task:
    """A piece of work with all it takes to do it anywhere the paths are the same.

    Attributes
    ----------
    name : Name
    job : Job
    scan_id : ScanId
        Of a night's calibrator: the scan it is chosen for.
    raw : Path or None
        The raw file of the scan in the band.
    key : str
        Hash of all that the products depend on.
    basis : str
        The key of what an image is made with: workers keep that from one image to the next.
    image : TileImage or None
    archive : tuple of Path
        Atlas Images of the survey that have a part in it.
    parts : tuple of Name
        Images, or bands, that a list is made of.
    """

    name: Name
    job: Job
    scan_id: ScanId
    raw: Path | None = None
    key: str = ""
    basis: str = ""
    image: TileImage | None = None
    archive: tuple[Path, ...] = ()
    parts: tuple[Name, ...] = ()


@dataclass
class Record:
    """What is known of a piece of work that was done, or failed.

    Attributes
    ----------
    task : Name
    key : str
        Of the task when it was done.
    products : dict of str
        Files made: size and time of change (ns) by path in the night's folder.
    figures : dict
        Plain numbers and texts: what the quality figures are made of.
    warnings : list of str
    error : str
        Why it failed; empty if it did not.
    seconds : float
    stale : bool
        Products and figures are of an earlier reduction: to make them anew failed, as `error` says.
    """

    task: Name
    key: str
    products: dict[str, tuple[int, int]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0
    stale: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Record:
        """Undo `as_dict`.

        Raises
        ------
        TypeError, KeyError, ValueError
            If it is no record.
        """
        products = {path: (int(size), int(time)) for path, (size, time) in said["products"].items()}
        return cls(**{**said, "task": Name(*said["task"]), "products": products})

    def is_whole(self, folder: Path) -> bool:
        """Whether it did not fail, and its files are as it left them."""
        return not self.error and all(
            state_of(folder / path) == state for path, state in self.products.items()
        )


def state_of(path: Path) -> tuple[int, int] | None:
    """Return size and time of change (ns) of a file; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
