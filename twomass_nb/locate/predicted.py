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
    ScanTrack,
)

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
                **_corners(track), "s_type": str(row["s_type"]),
                "frames": int(row["frames"]), "source": "lgo",
                "uncertainty": track.uncertainty[0],
                "trk_ra": track.ra, "trk_dec": track.dec, "trk_pa": track.pa,
                "trk_step": track.step,
            }
        )  # fmt: skip
    return Table(rows)


def _corners(track: ScanTrack) -> dict[str, float]:
    ra, dec = track.corners()
    return {
        f"{name}_{k + 1}": float(values[k])
        for k in range(4)
        for name, values in (("ra", ra), ("dec", dec))
    }
