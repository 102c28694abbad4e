"""What a person is told of the scans that cover positions: edges, frames, pixel, in one table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from ..array.track import unit_vector
from ..scan import BANDS, ScanId, parse_band
from .assemble import IDENTITY, RAW_COLUMNS, UNCERTAINTY, keys, sources
from .footprint import Footprints
from .frames import every_frame, frames_of_pairs

__all__ = ["answer", "file_names", "frame_table", "scan_names"]

# The columns of a scan table that an answer is made from.
_NEEDED = {
    *IDENTITY, "tile", "sd", "source", "n_frames", *RAW_COLUMNS, *UNCERTAINTY,
    "trk_ra", "trk_dec", "trk_pa", "trk_step",
}  # fmt: skip


def scan_names(rows: Table) -> NDArray[np.str_]:
    """Return the scans' identities as text, "000529s063"."""
    return np.array([f"{d[2:4]}{d[5:7]}{d[8:10]}{h}{s:03d}" for d, h, s in keys(rows)], "U10")


def answer(
    table: Table, footprints: Footprints, i_scan: NDArray[np.integer], ra: Any, dec: Any
) -> Table:
    """Return one row for each scan and position (deg), with the columns of `covering`."""
    rows = table[[name for name in table.colnames if name in _NEEDED]][i_scan]
    ra, dec = np.broadcast_to(ra, len(rows)), np.broadcast_to(dec, len(rows))
    south_going = np.asarray(rows["sd"]) == "s"
    ew, ns, flag = footprints.nearest_edges(i_scan, unit_vector(ra, dec), south_going)
    first, last, best, x, y = frames_of_pairs(rows, footprints.corners[i_scan], ra, dec)
    result = Table()
    result["scan_id"] = scan_names(rows)
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
    for name in (*RAW_COLUMNS, *UNCERTAINTY):
        if name in rows.colnames:
            result[name] = rows[name]
    return result


def frame_table(
    table: Table,
    footprints: Footprints,
    pairs: tuple[NDArray[np.integer], NDArray[np.integer]],
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    bands: Iterable[str],
    every: bool,
) -> Table:
    """Return the frames of `ScanLocator.frames`, for pairs of a position and a scan."""
    i_coord, i_scan = pairs
    rows, corners = table[i_scan], footprints.corners[i_scan]
    ra, dec = ra[i_coord], dec[i_coord]
    names, ids = [parse_band(band) for band in bands], scan_names(rows)
    if every:
        found = every_frame(rows, corners, ra, dec, names)
        pair = np.asarray(found["pair"])
        found.remove_column("pair")
    else:
        each = [frames_of_pairs(rows, corners, ra, dec, band) for band in names]
        pair = np.repeat(np.arange(len(rows)), len(names))
        found = Table({"band": np.tile(np.array(names, "U1"), len(rows))})
        columns = [np.stack(part, axis=1).ravel() for part in zip(*each, strict=True)]
        for name, column in zip(
            ("first_frame", "last_frame", "best_frame", "x", "y"), columns, strict=True
        ):
            pixel = {"unit": u.pix, "format": ".2f"} if name in "xy" else {}
            found[name] = Column(column, **pixel)
    for place, (name, column) in enumerate(
        (("i_coord", i_coord), ("i_scan", i_scan), ("scan_id", ids))
    ):
        found.add_column(Column(np.asarray(column)[pair], name=name), index=place)
    return found


def file_names(rows: Table) -> Table:
    """Return where the raw files of scans are: night folder, and a file a band.

    Returns
    -------
    `~astropy.table.Table`
        scan_id, night ("000529s"), j, h, k ("j1186063.rds.gz", inside the night's folder), and
        the labels of tape and disk where the table has them.
    """
    result = Table({"scan_id": scan_names(rows)})
    ids = [ScanId(*key) for key in keys(rows)]
    result["night"] = np.array([scan.night for scan in ids], "U7")
    for band in BANDS:
        result[band] = np.array([f"{scan.stem(band)}.rds.gz" for scan in ids], "U15")
    for name in ("tape_label", "disk_label"):
        if name in rows.colnames:
            result[name] = rows[name]
    return result
