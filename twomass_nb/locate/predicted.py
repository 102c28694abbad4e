"""Footprints of scans that are in no scan table, predicted from where a night's log starts them.

Rougher than corners by far: the log gives the telescope's start of scan, and the first frame
follows 139 to 387 arcsec later (FACTS; half range 125 arcsec along the scan, 18 across). The
column ``source`` says "lgo", or "sim" where the log is simulated, and how rough is in
``in_scan_error`` and ``cross_scan_error``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from astropy import units as u
from astropy.table import Table, vstack
from numpy.typing import NDArray

from ..array.track import ScanTrack, lonlat
from ..tables.scan_table import is_simulated, values
from .footprint import ARCSEC

__all__ = ["ATLAS_UNCERTAINTY", "scans_of_logs"]

#: Half range of a footprint made from an Atlas header, along the scan and across, arcsec (FACTS).
ATLAS_UNCERTAINTY = (45.0, 5.0)
# The same for one made from a log. What was measured at Cerro Tololo scatters by 5 arcsec only
# along the scan, but over few nights.
_LOG_UNCERTAINTY = (125.0, 18.0)
# With the cold shutter closed a scan sees no sky.
_DARK = ("dar", "lda")


def scans_of_logs(logs: Table | Iterable[Table]) -> Table | None:
    """Return scan-table rows for scans of night logs, as `read_lgo` gives them.

    Parameters
    ----------
    logs : `~astropy.table.Table` or list of them
        Each of one night or of many, with date and hemis in every row.

    Returns
    -------
    `~astropy.table.Table` or None
        None if there is nothing to add. Darks, and rows without position, direction or number of
        frames, have no footprint and are left out.
    """
    parts = [_rows(log) for log in ([logs] if isinstance(logs, Table) else logs)]
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    return vstack(parts, metadata_conflicts="silent")


def _rows(log: Table) -> Table:
    sd = np.asarray(log["sd"]).astype(str)
    s_type = np.ma.filled(np.ma.asarray(log["s_type"]).astype(str), "")
    numbers = {name: values(log, name).astype(float) for name in ("ra", "dec", "frames")}
    usable = np.isin(sd, ["n", "s"]) & ~np.isin(s_type, _DARK)
    usable &= np.all([np.isfinite(value) for value in numbers.values()], axis=0)
    usable &= np.nan_to_num(numbers["frames"]) >= 1
    log, sd, s_type = log[usable], sd[usable], s_type[usable]
    hemis = np.asarray(log["hemis"]).astype(str)
    frames = numbers["frames"][usable].astype(int)
    track, corners = _tracks(numbers["ra"][usable], numbers["dec"][usable], sd, hemis, frames)
    rows = Table({name: np.asarray(log[name]) for name in ("date", "hemis", "scan")})
    rows["tile"] = np.ma.filled(np.ma.asarray(log["tile"]), -1) if len(log) else log["tile"]
    rows["sd"] = sd
    ra, dec = lonlat(corners)
    for k in range(4):
        rows[f"ra_{k + 1}"], rows[f"dec_{k + 1}"] = ra[:, k] * u.deg, dec[:, k] * u.deg
    rows["s_type"], rows["frames"] = s_type, frames
    rows["source"] = np.full(len(rows), "sim" if is_simulated(log) else "lgo")
    for name, error in zip(("in_scan_error", "cross_scan_error"), _LOG_UNCERTAINTY, strict=True):
        rows[name] = np.full(len(rows), error) * u.arcsec
    rows["trk_ra"], rows["trk_dec"] = track.ra * u.deg, track.dec * u.deg
    rows["trk_pa"] = np.broadcast_to(track.pa, len(rows)) * u.deg
    rows["trk_step"] = track.step * u.arcsec
    return Table(rows, copy=False)


def _tracks(
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    sd: NDArray[np.str_],
    hemis: NDArray[np.str_],
    frames: NDArray[np.int64],
) -> tuple[ScanTrack, NDArray[np.float64]]:
    """Return all tracks in one, each field an array, and the corners' vectors (n, 4, 3).

    Scans of one direction, site and length differ by where they start: one of them says all.
    """
    fields = {name: np.zeros(len(ra)) for name in ("ra", "dec", "pa", "step")}
    along, west = np.zeros((len(ra), 4)), np.zeros((len(ra), 4))
    for kind in set(zip(sd.tolist(), hemis.tolist(), frames.tolist(), strict=True)):
        some = (sd == kind[0]) & (hemis == kind[1]) & (frames == kind[2])
        one = ScanTrack.from_sos(0.0, 0.0, *kind)
        fields["ra"][some] = ra[some] % 360
        fields["dec"][some] = np.clip(dec[some] + one.dec, -90, 90)
        fields["pa"][some], fields["step"][some] = one.pa, one.step
        along[some], west[some] = one.offsets(*one.corners())
    track = ScanTrack(**fields, n_frames=frames, source="lgo")  # type: ignore[arg-type]
    first, ahead, side = (axis[:, None] for axis in np.moveaxis(track.frame_axes, -2, 0))
    a, w = along[..., None] * ARCSEC, west[..., None] * ARCSEC
    return track, np.cos(w) * (np.cos(a) * first + np.sin(a) * ahead) + np.sin(w) * side
