"""What came of a reduction: what was made, what was there already, what failed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import TwomassError
from .places import LOG
from .tasks import Record

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["Reduction"]


@dataclass(frozen=True, eq=False, repr=False)
class Reduction:
    """What came of a reduction; made by `reduce_scan` and `reduce_night`.

    Attributes
    ----------
    folder : Path
        Of the night: the products are in it.
    made, kept : list of Record
        Pieces of work done now, and done before.
    failed : list of Record
        Those that failed, or were not begun for want of others; ``error`` says why.
    stale : list of Record
        What an earlier reduction made of them, left as it was.
    quality : `~astropy.table.QTable`
        A row an image, see `twomass_nb.reduce.quality.quality_table`.
    simulated : bool
    """

    folder: Path
    made: list[Record]
    kept: list[Record]
    failed: list[Record]
    stale: list[Record]
    quality: QTable
    simulated: bool

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    @property
    def warnings(self) -> list[str]:
        """What in the figures is not as a good scan's: see `twomass_nb.reduce.quality.doubts`."""
        return list(self.quality.meta["warnings"])

    @property
    def summary(self) -> str:
        """A line for each scan and band, for each warning, and one for what failed."""
        lines = [f"{self.folder}{' (SIMULATED)' if self.simulated else ''}"]
        for key in dict.fromkeys(zip(self.quality["scan_id"], self.quality["band"], strict=True)):
            rows = self.quality[
                (self.quality["scan_id"] == key[0]) & (self.quality["band"] == key[1])
            ]
            good = rows[rows["error"] == ""]
            stale = f", {n} stale, of an earlier reduction" if (n := rows["stale"].sum()) else ""
            lines.append(
                f"{key[0]} {key[1]}: {len(good)} of {len(rows)} images{_ranges(good)}{stale}"
            )
        lines += [f"warning: {line}" for line in self.warnings]
        stale = (
            f"; {len(self.stale)} stay as an earlier reduction made them, stale"
            if self.stale
            else ""
        )
        lines.append(
            f"{len(self.made)} pieces of work done, {len(self.kept)} done before, "
            f"{len(self.failed)} failed{stale}"
        )
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: the folder, products by piece of work, what failed."""
        return {
            "folder": str(self.folder),
            "simulated": self.simulated,
            "made": {str(one.task): list(one.products) for one in self.made},
            "kept": {str(one.task): list(one.products) for one in self.kept},
            "failed": {str(one.task): one.error for one in self.failed},
            "stale": {str(one.task): list(one.products) for one in self.stale},
            "warnings": self.warnings,
        }

    def require_ok(self) -> None:
        """Raise an error if anything failed: it says how much, and what was first.

        Raises
        ------
        TwomassError
        """
        if self.failed:
            first = next((one for one in self.failed if one.key), self.failed[0])
            msg = (
                f"{len(self.failed)} pieces of work failed, the first: {first.task}: {first.error} "
                f"(see {self.folder / LOG})"
            )
            raise TwomassError(msg)

    def __repr__(self) -> str:
        mark = ", SIMULATED" if self.simulated else ""
        return (
            f"<Reduction {self.folder}: {len(self.quality)} images, {len(self.made)} pieces of "
            f"work done, {len(self.kept)} done before, {len(self.failed)} failed{mark}>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<b>{escape(repr(self)[1:-1])}</b>{self.quality._repr_html_()}"


def _ranges(rows: QTable) -> str:
    if not len(rows):
        return ""
    found, noise, limit = rows["sources"], rows["noise"].value, rows["limit"].value
    return (  # images overlap: the sum of their sources is not how many there are
        f", {found.min()} to {found.max()} sources each, "
        f"noise {noise.min():.2f} to {noise.max():.2f} DN, "
        f"limit {limit.min():.1f} to {limit.max():.1f} mag"
    )
