"""How it is said what was left out of a calibration, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..raw import RawScan

__all__ = ["LeftOut", "name_of"]


@dataclass(frozen=True)
class LeftOut:
    """Something not used, and the reason.

    Attributes
    ----------
    scan : str
        As ``"000602s090"``.
    frame : int or None
        Counted from 0; None: the whole scan.
    reason : str
    """

    scan: str
    frame: int | None
    reason: str

    def __str__(self) -> str:
        frame = "" if self.frame is None else f" frame {self.frame}"
        return f"{self.scan}{frame}: {self.reason}"


def name_of(scan: RawScan) -> str:
    """Return what a scan is called: ``"000602s090"``, or the name of its file."""
    return str(scan.scan_id or scan.path.name)
