"""Footprints of scans that are in no scan table, predicted from where a night's log starts them.

Rougher than corners by far: the log gives the telescope's start of scan, and the first frame
follows 139 to 387 arcsec later (FACTS; half range 125 arcsec along the scan at Mt. Hopkins, 5 at
Cerro Tololo, 18 across). The column ``source`` says "lgo" and ``uncertainty`` how rough.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from astropy import units as u
from astropy.table import Table, vstack

from ..array.track import (
    FIRST_FRAME_FROM_EDGE,
    FOOTPRINT_LENGTH,
    FRAMES,
    HALF_WIDTH,
    MEAN_STEP,
    ScanTrack,
    lonlat,
)
from .footprint import ARCSEC

__all__ = ["scans_of_logs"]

# With the cold shutter closed a scan sees no sky.
_DARK = ("dar", "lda")


def scans_of_logs(logs: Table | Iterable[Table], known: set[tuple[str, str, int]]) -> Table | None:
    """Return scan-table rows for scans of night logs, as `read_lgo` gives them.

    Parameters
    ----------
    logs : `~astropy.table.Table` or list of them
    known : set of (date, hemis, scan)
        Scans to leave out, since their corners are known.

    Returns
    -------
    `~astropy.table.Table` or None
        None if there is nothing to add. Darks, and rows without position, direction or number of
        frames, have no footprint and are left out.
    """
    parts = [_rows(log, known) for log in ([logs] if isinstance(logs, Table) else logs)]
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    table: Table = vstack(parts, metadata_conflicts="silent")
    for name in table.colnames:
        if name[:4] in ("ra_1", "ra_2", "ra_3", "ra_4", "dec_") or name in ("trk_ra", "trk_dec"):
            table[name].unit = u.deg
    table["uncertainty"].unit = u.arcsec
    return table


def _rows(log: Table, known: set[tuple[str, str, int]]) -> Table:
    rows = []
    for row in log:
        key = (str(row["date"]), str(row["hemis"]), int(row["scan"]))
        needed = (row["ra"], row["dec"], row["frames"])
        if any(np.ma.is_masked(value) for value in needed) or key in known:
            continue
        if row["sd"] not in ("n", "s") or row["s_type"] in _DARK or row["frames"] < 1:
            continue
        track = ScanTrack.from_sos(
            float(row["ra"]), float(row["dec"]), row["sd"], key[1], int(row["frames"])
        )
        tile = row["tile"]
        rows.append(
            {
                "date": key[0], "hemis": key[1], "scan": key[2],
                "tile": -1 if np.ma.is_masked(tile) else int(tile), "sd": str(row["sd"]),
                **_corners(track, key[1]), "s_type": str(row["s_type"]),
                "frames": int(row["frames"]), "source": "lgo",
                "uncertainty": track.uncertainty[0],
                "trk_ra": track.ra, "trk_dec": track.dec, "trk_pa": track.pa,
                "trk_step": track.step,
            }
        )  # fmt: skip
    return Table(rows)


def _corners(track: ScanTrack, hemis: str) -> dict[str, float]:
    """Corners as the scan table has them: 1 east and 2 west at the start, 3 and 4 at the end."""
    first, along, west = track.frame_axes
    sign = np.sign(track.step)
    length = FOOTPRINT_LENGTH + (track.n_frames - FRAMES[hemis]) * MEAN_STEP
    start = -FIRST_FRAME_FROM_EDGE
    # A handful of frames is still as long as a frame's inside.
    end = start + max(length, 2 * FIRST_FRAME_FROM_EDGE)
    result = {}
    for k, (place, side) in enumerate(((start, -1), (start, 1), (end, -1), (end, 1)), start=1):
        angle, across = sign * place * ARCSEC, side * HALF_WIDTH * ARCSEC
        point = np.cos(angle) * first + np.sin(angle) * along
        ra, dec = lonlat(np.cos(across) * point + np.sin(across) * west)
        result[f"ra_{k}"], result[f"dec_{k}"] = float(ra), float(dec)
    return result
