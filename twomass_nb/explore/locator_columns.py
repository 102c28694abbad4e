"""Which columns of an answer the locator explorer lists, and how a row of it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import Table

__all__ = ["MOST", "heads", "texts"]

#: Rows that the page is given; a person filters or exports what is longer.
MOST = 1000

# Column of the answer it needs, label, unit, tooltip, and the text of a row.
_Column = tuple[str, str, str, str, Callable[[Any], str]]
_COLUMNS: tuple[_Column, ...] = (
    ("target", "target", "", "name or text of the line of the list",
     lambda row: str(row["target"])),
    ("scan_id", "scan", "", "night, observatory, scan number", lambda row: str(row["scan_id"])),
    ("date", "night", "", "date of the night", lambda row: str(row["date"])),
    ("dist_edge_ew", "E/W", "edge, ″", "distance to the nearer east or west edge, positive inside",
     lambda row: f"{row['dist_edge_ew']:.1f}"),
    ("dist_edge_ns", "N/S", "edge, ″",
     "distance to the nearer north or south edge, positive inside",
     lambda row: f"{row['dist_edge_ns']:.1f}"),
    ("first_frame", "frames", "from 0", "first to last frame that sees the position",
     lambda row: _frames(row["first_frame"], row["last_frame"])),
    ("best_frame", "best", "frame", "frame that has it nearest to its middle row",
     lambda row: _frames(row["best_frame"], row["best_frame"])),
    ("x", "x, y", "pixel", "predicted pixel in the best frame, J",
     lambda row: f"{row['x']:.0f}, {row['y']:.0f}" if np.isfinite(row["x"]) else "–"),
    ("tile", "tile", "", "tile of the survey", lambda row: _said(row["tile"])),
    ("sd", "goes", "", "direction of the scan: n or s", lambda row: _said(row["sd"])),
    ("qual", "quality", "0–10", "quality score of the scan", lambda row: _said(row["qual"])),
    ("s_type", "type", "", "type of scan", lambda row: _said(row["s_type"])),
    ("tape_label", "tape", "", "label of its tape", lambda row: _said(row["tape_label"])),
    ("disk_label", "disk", "", "label of its disk", lambda row: _said(row["disk_label"])),
    ("source", "from", "", "scn: exact corners; lgo, atlas: predicted; sim: simulated",
     lambda row: str(row["source"])),
)  # fmt: skip


def _of(table: Table) -> list[_Column]:
    return [column for column in _COLUMNS if column[0] in table.colnames]


def heads(table: Table) -> list[dict[str, str]]:
    """Return label, unit and tooltip of each column."""
    return [{"label": label, "unit": unit, "tip": tip} for _, label, unit, tip, _ in _of(table)]


def texts(table: Table) -> list[list[str]]:
    """Return the texts of the first `MOST` rows."""
    columns = _of(table)
    return [[text(row) for *_, text in columns] for row in table[:MOST]]


def _frames(first: Any, last: Any) -> str:
    if first < 0:
        return "–"
    return f"{first}" if first == last else f"{first}–{last}"


def _said(value: Any) -> str:
    return "–" if np.ma.is_masked(value) else str(value)
