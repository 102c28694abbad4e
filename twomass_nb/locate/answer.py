"""What a person is told of the scans that cover a position: edges, frames, pixel, in one table."""

from __future__ import annotations

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from ..array.track import unit_vector
from .assemble import IDENTITY, RAW_COLUMNS, sources
from .footprint import Footprints
from .frames import frames_seeing, scan_ids

__all__ = ["answer"]


def answer(
    table: Table, footprints: Footprints, i_scan: NDArray[np.intp], ra: float, dec: float
) -> Table:
    """Return one row for each of the scans, with the columns of `ScanLocator.covering`."""
    rows = table[i_scan]
    ids = scan_ids(rows)
    point = np.broadcast_to(unit_vector(ra, dec), (len(rows), 3))
    south_going = np.asarray(rows["sd"]) == "s"
    ew, ns, flag = footprints.nearest_edges(i_scan, point, south_going)
    first, last, best, x, y = frames_seeing(rows, ids, ra, dec)
    result = Table()
    result["scan_id"] = np.array([str(scan_id) for scan_id in ids], dtype="U10")
    for name in IDENTITY:
        result[name] = rows[name]
    if "tile" in rows.colnames:
        result["tile"] = rows["tile"]
    else:
        result["tile"] = MaskedColumn(np.zeros(len(rows), int), mask=np.ones(len(rows), bool))
    result["sd"] = rows["sd"]
    result["source"] = sources(rows)
    result["dist_edge_ew"] = Column(ew, unit=u.arcsec, format=".2f")
    result["dist_edge_ns"] = Column(ns, unit=u.arcsec, format=".2f")
    result["dist_edge_flg"] = flag
    for name, frame in (("first_frame", first), ("last_frame", last), ("best_frame", best)):
        result[name] = frame
    result["x"] = Column(x, unit=u.pix, format=".2f")
    result["y"] = Column(y, unit=u.pix, format=".2f")
    for name in RAW_COLUMNS:
        if name in rows.colnames:
            result[name] = rows[name]
    result.meta["position"] = {"ra": ra, "dec": dec}
    return result
