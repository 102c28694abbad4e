"""From a scan that covers a position to the frames of it that see the position, and the pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from ..array.geometry import ArrayGeometry, period_of
from ..array.track import FRAMES, MEAN_STEP, ScanTrack, lonlat, track_of_corners, unit_vector
from ..scan import ScanId
from ..tables.scan_table import values

__all__ = ["frames_of_rows", "frames_seeing", "scan_ids", "tracks"]

_BAND = "j"


def scan_ids(table: Table) -> list[ScanId]:
    """Return the identities of a scan table's rows."""
    columns = (table[name].tolist() for name in ("date", "hemis", "scan"))
    return [ScanId(*row) for row in zip(*columns, strict=True)]


def frames_of_rows(table: Table) -> NDArray[np.int64]:
    """Return the number of frames of each row: as the table says, or else a survey scan's."""
    default = np.where(values(table, "hemis") == "n", FRAMES["n"], FRAMES["s"])
    for name in ("frames", "n_frames"):
        if name in table.colnames:
            said = values(table, name).astype(float)
            default = np.where(said > 0, said, default)  # NaN where the table does not say
    return default.astype(int)


def tracks(table: Table) -> ScanTrack:
    """Return the tracks of a table's rows, all in one: each field an array.

    They are the table's own (``trk_ra``, ``trk_dec``, ``trk_pa`` in degrees, ``trk_step`` in
    arcsec), where it has them, or else predicted from the corners.
    """
    south_going = values(table, "sd") == "s"
    corners = unit_vector(
        np.stack([values(table, f"ra_{k}") for k in "1234"], axis=-1),
        np.stack([values(table, f"dec_{k}") for k in "1234"], axis=-1),
    )
    first, pa = track_of_corners(corners, south_going)
    ra, dec = lonlat(first)
    fields: dict[str, Any] = {
        "ra": ra,
        "dec": dec,
        "pa": np.rad2deg(pa),
        "step": np.where(south_going, -MEAN_STEP, MEAN_STEP),
    }
    if all(f"trk_{name}" in table.colnames for name in fields):
        own = {name: values(table, f"trk_{name}").astype(float) for name in fields}
        known = np.all([np.isfinite(value) for value in own.values()], axis=0)
        fields = {name: np.where(known, own[name], fields[name]) for name in fields}
    return ScanTrack(**fields, n_frames=frames_of_rows(table))  # type: ignore[arg-type]


def frames_seeing(
    table: Table, ids: list[ScanId], ra: float, dec: float
) -> tuple[NDArray[Any], ...]:
    """Return first, last and best frame of every row that sees a position (deg), and the pixel.

    Returns
    -------
    first, last, best : array of int
        Counted from 0; -1 where no frame sees the position.
    x, y : array of float
        Pixel of the J array in the best frame, counted from 0; NaN where there is none. The
        rotation has the sign that the headers of Atlas Images show.
    """
    track = tracks(table)
    first, last, best = (np.full(len(table), -1) for _ in range(3))
    x, y = np.full(len(table), np.nan), np.full(len(table), np.nan)
    periods = np.array([period_of(scan_id) for scan_id in ids])
    for period in np.unique(periods):
        rows = periods == period
        geometry = ArrayGeometry.preset(str(period), _BAND, sign="header")
        seen = track.frames_seeing(ra, dec, geometry)
        for whole, part in zip((first, last, best, x, y), seen, strict=True):
            whole[rows] = part[rows]
    return first, last, best, x, y
