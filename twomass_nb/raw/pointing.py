"""Where a raw scan's frames were pointed: from its parameter file, exact only for simulations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astropy import units as u

from ..array import ArrayGeometry, ScanTrack, period_of
from ..errors import NotFoundError, TableError
from ..scan import parse_band

if TYPE_CHECKING:
    from .reader import RawScan

__all__ = ["geometry_of", "track_of"]


def track_of(scan: RawScan) -> ScanTrack:
    """Return the track of a scan: TRK_* of a simulation, else predicted from the start of scan.

    Raises
    ------
    NotFoundError
        If there is no parameter file, or it does not say.
    """
    par = scan.par
    if par is None:
        msg = f"nothing says where {scan.path.name} was pointed: its .par file is not beside it"
        raise NotFoundError(msg)
    if all(key in par for key in ("TRK_RA", "TRK_DEC", "TRK_PA", "TRK_STEP")):
        ra, dec, pa, step = (float(par[f"TRK_{key}"]) for key in ("RA", "DEC", "PA", "STEP"))
        return ScanTrack(ra, dec, pa, step, scan.n_frames, "sim")
    scan_id = scan.scan_id
    if scan_id is None:
        msg = (
            f"{scan.path.name} does not say its hemisphere: keep it in its night's folder, "
            "as 000529s"
        )
        raise NotFoundError(msg)
    try:
        ra, dec = float(par.angle("RA_SOS").deg), float(par.angle("DEC_SOS").deg)
    except TableError as error:
        msg = f"nothing says where {scan.path.name} was pointed: {error}"
        raise NotFoundError(msg) from None
    direction = str(par.get("SCANDIR", "")).strip().lower()[:1]
    if direction not in ("n", "s"):
        msg = f"the .par of {scan.path.name} does not say which way the scan went (SCANDIR)"
        raise NotFoundError(msg)
    return ScanTrack.from_sos(ra, dec, direction, scan_id.hemis, scan.n_frames)


def geometry_of(scan: RawScan, band: str | None = None) -> ArrayGeometry:
    """Return the geometry of a band's array: a simulation's own, else the preset of its period.

    Presets have the sign of the rotation that headers of real Atlas Images show.

    Raises
    ------
    NotFoundError
        If the band or the scan is not known.
    """
    asked = parse_band(band) if band is not None else scan.band
    if asked is None:
        msg = f"{scan.path.name} does not say its band: give band='j', 'h' or 'k'"
        raise NotFoundError(msg)
    par = scan.par
    if par is not None and asked == scan.band and "TRK_ROT" in par and "TRK_SCAL" in par:
        return ArrayGeometry(float(par["TRK_SCAL"]) * u.arcsec, float(par["TRK_ROT"]) * u.deg)
    if scan.scan_id is None:
        msg = (
            f"{scan.path.name} does not say its hemisphere, which the array's geometry depends "
            "on: keep it in its night's folder, as 000529s"
        )
        raise NotFoundError(msg)
    return ArrayGeometry.preset(period_of(scan.scan_id), asked, sign="header")
