"""How a calibrated frame travels: CCDData with mask, flags, uncertainty, place and provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty

from ..errors import TwomassError
from ..raw.fits_header import header_of
from .science import arrays
from .sky import SkyOffsets

if TYPE_CHECKING:
    from ..raw import RawScan
    from .calibrator import Calibrator

__all__ = ["as_ccd"]


def as_ccd(
    calibrator: Calibrator, scan: RawScan, i: int, read: str, sky: SkyOffsets | None,
    correct_first_column: bool,
) -> CCDData:  # fmt: skip
    """Return a calibrated frame; see `Calibrator.frame`."""
    one = arrays(calibrator, scan, i, read, sky, correct_first_column)
    try:
        wcs = scan.wcs(i)
    except TwomassError:
        wcs = None
    return CCDData(
        one.pixels,
        unit=u.adu,
        mask=one.mask,
        flags=one.flags,
        uncertainty=StdDevUncertainty(np.sqrt(one.variance)),
        wcs=wcs,
        meta=_header(calibrator, scan, i, read, sky, correct_first_column),
    )


def _header(
    calibrator: Calibrator, scan: RawScan, i: int, read: str, sky: SkyOffsets | None,
    corrected: bool,
) -> fits.Header:  # fmt: skip
    header = header_of(scan, f"frame {i} {read} calibrated")
    header["FRAME"] = (i, "frame of the scan, counted from 0")
    header["READ"] = (read, "r1 is scaled to r2-r1")
    header["BUNIT"] = ("adu", "DN of r2-r1 at a responsivity of 1")
    for k, name in enumerate(calibrator.darks[:99], 1):
        header[f"DARK{k}"] = (name, "dark scan")
    for k, name in enumerate(calibrator.twilights[:99], 1):
        header[f"TWI{k}"] = (name, "twilight scan")
    header["NDARK"] = (calibrator.n_dark, "dark frames used")
    header["NTWI"] = (calibrator.n_twilight, "twilight frames used")
    header["NLEFTOUT"] = (len(calibrator.left_out), "frames and scans left out")
    header["GAIN"] = (round(calibrator.gain, 4), "[electron/adu]")
    header["CANON"] = (len(calibrator.canonical), "nights in the mean responsivity; 0: its own")
    header["SKYSUB"] = (sky is not None, "sky offset subtracted")
    if sky is not None:
        used = sky.frames[sky.block(i)]
        header["SKYFRMS"] = (f"{used[0]}-{used[-1]}", "the sky offset is of frames between these")
        header["NSKY"] = (len(used), "frames of the sky offset")
    header["FIRSTCOL"] = (corrected, "first columns corrected")
    return header
